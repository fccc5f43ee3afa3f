// Why a pod is not Ready, or not gone: further down than the pod itself says. Beside the pod it looks at its claims,
// the nodes, and what was told about it.

import { type Cause, isWaiting, partyOf, type Waiting } from '../api/between/waiting.ts';
import { isReady } from '../api/conditions.ts';
import type { Pod } from '../api/generated/types.ts';
import { isTerminating, type Stored } from '../api/objects.ts';
import { claimsOf, isPodFinished } from '../api/pod-state.ts';
import { selectorOf } from '../api/selectors.ts';
import { whyNotReady } from '../api/why/pod.ts';
import { claimOnLostNode, explainClaim, whyNobodyProvisions } from './claim.ts';
import type { Evidence } from './evidence.ts';
import { whyNodeIsLost } from './node.ts';
import { nodeLines } from './nodes.ts';

/** What goes wrong between a node and a container that it has to start. */
const START_FAILURES = [
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'Failed',
  'InspectFailed',
];

/** Undefined if the pod is Ready and stays. */
export function explainPod(pod: Stored<Pod>, evidence: Evidence): Cause | Waiting | undefined {
  const because = whyNotReady(pod, evidence.claim);
  if (isTerminating(pod))
    return !because || isWaiting(because) ? because : whyNotGone(pod, evidence, because);
  const lost = isPodFinished(pod) ? undefined : onLostNode(pod, evidence);
  if (lost) return lost;
  if (!because) return undefined;
  if (isWaiting(because)) {
    const claim = evidence.claim(because.for.name);
    const deeper = because.for.kind === 'PersistentVolumeClaim' && claim && explainClaim(claim, evidence);
    // A claim that waits for the very pod to be placed is not what the pod waits for.
    const goesRound = deeper && isWaiting(deeper) && deeper.for.name === pod.metadata.name;
    if (goesRound) return whyNotPlaced(pod, evidence);
    return deeper ? { ...because, because: deeper } : because;
  }
  switch (because.reason) {
    case 'Unschedulable':
      return whyUnschedulable(pod, evidence, because);
    case 'CrashLoopBackOff':
      return { ...because, details: crashLines(pod) };
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return { ...because, details: pullLines(pod, evidence) };
    case 'ContainerCreating':
    case 'PodInitializing':
      return notStarted(pod, evidence) ?? because;
    default:
      return because;
  }
}

function whyNotPlaced(pod: Stored<Pod>, evidence: Evidence): Cause {
  const message = 'it has not been given to a node yet';
  return { reason: 'NotScheduled', message, passing: true, details: nodeLines(pod, evidence) };
}

function whyUnschedulable(pod: Stored<Pod>, evidence: Evidence, because: Cause): Cause | Waiting {
  const lost = claimOnLostNode(
    claimsOf(pod).map(({ claimName }) => claimName),
    evidence,
  );
  if (!lost) {
    return waitsForNobody(pod, evidence) ?? { ...because, details: nodeLines(pod, evidence) };
  }
  const { claim, node } = lost;
  return {
    who: partyOf('Pod', pod),
    for: { kind: 'Node', name: node },
    tobe: 'Ready',
    because: {
      ...lost.because,
      details: [
        `volume ${claim.spec.volumeName} of claim ${claim.metadata.name} lies on ${node}, and nowhere else`,
        `bring ${node} back; or give up what is in the volume: kubectl delete pvc ${claim.metadata.name} && kubectl delete pod ${pod.metadata.name}`,
      ],
    },
  };
}

/** The claim for which nobody will make a volume, if that is what the pod waits for. */
function waitsForNobody(pod: Stored<Pod>, evidence: Evidence): Waiting | undefined {
  for (const { claimName } of claimsOf(pod)) {
    const claim = evidence.claim(claimName);
    const because = claim && whyNobodyProvisions(claim, evidence);
    if (because)
      return {
        who: partyOf('Pod', pod),
        for: partyOf('PersistentVolumeClaim', claim),
        tobe: 'Bound',
        because,
      };
  }
  return undefined;
}

/** A pod whose node is gone or silent waits for the node, whatever else its status said last. */
function onLostNode(pod: Stored<Pod>, evidence: Evidence): Waiting | undefined {
  const { nodeName } = pod.spec;
  // Who may not see nodes sees none.
  if (evidence.objects.nodes.length === 0) return undefined;
  const because = nodeName ? whyNodeIsLost(nodeName, evidence) : undefined;
  if (!nodeName || !because) return undefined;
  return { who: partyOf('Pod', pod), for: { kind: 'Node', name: nodeName }, tobe: 'Ready', because };
}

function whyNotGone(pod: Stored<Pod>, evidence: Evidence, because: Cause): Cause | Waiting {
  const node = pod.spec.nodeName;
  const lost = node === undefined ? undefined : whyNodeIsLost(node, evidence);
  if (lost && node !== undefined) {
    const details = [
      `whether its containers still run is not known, so no second ${pod.metadata.name} is made`,
      `bring ${node} back; or, if it is off for certain: kubectl taint nodes ${node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`,
    ];
    return {
      who: partyOf('Pod', pod),
      act: 'deletion',
      for: { kind: 'Node', name: node },
      tobe: 'Ready',
      because: { ...lost, details },
    };
  }
  const finalizers = pod.metadata.finalizers ?? [];
  if (finalizers.length === 0) return because;
  const owned = evidence.objects.claims.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid),
  );
  const [claim] = owned;
  if (finalizers.includes('foregroundDeletion') && claim) {
    const message = 'it is deleted in the foreground, after what it owns';
    return {
      who: partyOf('Pod', pod),
      act: 'deletion',
      for: partyOf('PersistentVolumeClaim', claim),
      tobe: 'gone',
      because: { reason: 'ForegroundDeletion', message, passing: true },
    };
  }
  const details = [
    'whoever set the finalizer has to take it off; who that is, its managed fields say:',
    `kubectl get pod ${pod.metadata.name} -o yaml --show-managed-fields`,
  ];
  return { ...because, details };
}

function crashLines(pod: Stored<Pod>): string[] {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const crashing = statuses.find(({ state }) => state?.waiting?.reason === 'CrashLoopBackOff');
  if (!crashing) return [];
  const { lastState, name, restartCount } = crashing;
  const at = lastState?.terminated?.finishedAt;
  const times = restartCount === 1 ? 'once' : `${restartCount} times`;
  return [
    `restarted ${times}${at ? `, it ended last at ${at}` : ''}`,
    `its last words: kubectl logs ${pod.metadata.name} -c ${name} --previous`,
  ];
}

function pullLines(pod: Stored<Pod>, evidence: Evidence): string[] {
  const failed = evidence.warning('Pod', pod, ['Failed']);
  const told = failed?.message?.startsWith('Failed to pull') ? [failed.message] : [];
  return [...told, 'an image that no registry has can be loaded: stead image load FILE'];
}

/** The last failure to start a container, while it has not been started. */
function notStarted(pod: Stored<Pod>, evidence: Evidence): Cause | undefined {
  const failed = evidence.warning('Pod', pod, START_FAILURES);
  if (!failed) return undefined;
  const times = failed.series?.count ?? failed.count ?? 1;
  const details = times > 1 ? [`tried ${times} times on ${pod.spec.nodeName}`] : [`on ${pod.spec.nodeName}`];
  return { reason: failed.reason ?? 'Failed', message: failed.message ?? '', passing: false, details };
}

/** What is to be known of a pod although it is Ready, or besides what it waits for. */
export function podNotes(pod: Stored<Pod>, evidence: Evidence): string[] {
  return budgetsAgainst(pod, evidence).map((budget) => `it cannot be evicted now: ${budget}`);
}

/** The budgets under which the pod cannot be evicted now although it is Ready, with what each wants. */
export function budgetsAgainst(pod: Stored<Pod>, { objects }: Evidence): string[] {
  if (isTerminating(pod) || !isReady(pod)) return [];
  return objects.budgets
    .filter(({ spec }) => selectorOf(spec.selector).matches(pod.metadata.labels))
    .filter(({ status }) => status && (status.disruptionsAllowed ?? 0) === 0)
    .map(
      ({ metadata, status }) =>
        `budget ${metadata.name} wants ${status?.desiredHealthy ?? 0} healthy pods, and ${status?.currentHealthy ?? 0} of ${status?.expectedPods ?? 0} are`,
    );
}
