// Why one pod is not Ready, read from the pod (and its claims, where they are at hand): the first thing in the way,
// from scheduling through volumes, init containers and containers to probes. What waits for the pod is not here.

import { UNBOUND_CLAIMS } from '../between/volume-binding.ts';
import { type Cause, partyOf, type Waiting } from '../between/waiting.ts';
import { conditionOf, isReady } from '../conditions.ts';
import type { ContainerStatus, PersistentVolumeClaim, Pod } from '../generated/types.ts';
import { isTerminating } from '../objects.ts';
import { type ClaimUse, claimsOf } from '../pod-state.ts';
import { whyNotBound } from './claim.ts';
import { describeProbe } from './probe.ts';

/** States that a starting container goes through by itself. */
const STARTING_REASONS: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

const cause = (reason: string, message: string, passing = false): Cause => ({ reason, message, passing });
const afterColon = (message: string | undefined): string => (message ? `: ${message.trim()}` : '');

/**
 * Why the pod is not Running and Ready; undefined if it is, and is not being deleted either.
 * @param claims looked up by name in the pod's namespace; without it, claims are not considered. It gives undefined
 * for a claim that does not exist.
 */
export function whyNotReady(
  pod: Pod,
  claims?: (name: string) => PersistentVolumeClaim | undefined,
): Cause | Waiting | undefined {
  if (isTerminating(pod)) return whyNotGone(pod);
  const phase = pod.status?.phase ?? 'Pending';
  if (phase === 'Failed' || phase === 'Succeeded') return whyEnded(pod, phase);
  if (phase === 'Running' && isReady(pod)) return undefined;
  return (
    (pod.spec.nodeName ? undefined : whyNotScheduled(pod, claims)) ??
    whyNoNode(pod) ??
    (phase === 'Pending' ? whyClaims(pod, claims) : undefined) ??
    whyContainers(pod) ??
    whyGates(pod)
  );
}

/** Why a pod that is being deleted is still there. */
export function whyNotGone(pod: Pod): Cause {
  const { finalizers, deletionGracePeriodSeconds } = pod.metadata;
  if (isNodeLost(pod)) {
    return cause(
      'NodeLost',
      `it is terminating, and its node ${pod.spec.nodeName ?? ''} does not answer; it stays until the node is back, is tainted node.kubernetes.io/out-of-service, or a person forces the deletion`,
    );
  }
  if (finalizers?.length) {
    return cause('PodTerminating', `it is terminating, held by finalizer ${finalizers.join(', ')}`);
  }
  const grace =
    deletionGracePeriodSeconds === undefined ? '' : `, grace period ${deletionGracePeriodSeconds} s`;
  return cause('PodTerminating', `it is terminating${grace}`, true);
}

function isNodeLost(pod: Pod): boolean {
  // What the node controller says of the pods of a silent node.
  return pod.status?.reason === 'NodeLost' || conditionOf(pod, 'Ready')?.reason === 'NodeNotReady';
}

function whyEnded(pod: Pod, phase: string): Cause {
  const { reason, message } = pod.status ?? {};
  const ended = pod.status?.containerStatuses?.find((status) => status.state?.terminated?.exitCode);
  // What the node says of the whole pod (it was evicted, it ran too long) comes before how its containers were ended.
  const exit = message || (ended && `container ${ended.name} ended with ${exitOf(ended)}`);
  return cause(
    reason ?? `Pod${phase}`,
    `it has ${phase === 'Failed' ? 'failed' : 'ended'}${afterColon(exit)}`,
  );
}

function whyNotScheduled(
  pod: Pod,
  claims: ((name: string) => PersistentVolumeClaim | undefined) | undefined,
): Cause | Waiting {
  const missing = claims && claimsOf(pod).find(({ claimName }) => !claims(claimName));
  if (missing) return missingClaim(pod, missing);
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.message) {
    // The scheduler names no claim: what it means is the pod's first one that is not bound.
    const claim = scheduled.message.includes(UNBOUND_CLAIMS) ? whyClaims(pod, claims) : undefined;
    return claim ?? cause(scheduled.reason ?? 'Unschedulable', scheduled.message);
  }
  if (pod.spec.schedulingGates?.length) {
    const gates = pod.spec.schedulingGates.map((gate) => gate.name).join(', ');
    return cause('SchedulingGated', `scheduling is gated by ${gates}`);
  }
  return cause('NotScheduled', 'it has not been given to a node yet', true);
}

function whyNoNode(pod: Pod): Cause | undefined {
  if (!isNodeLost(pod)) return undefined;
  return cause('NodeLost', `its node ${pod.spec.nodeName ?? ''} does not answer`);
}

/** The claim of a generic ephemeral volume is made for the pod, as soon as the pod is there. */
function missingClaim(pod: Pod, { claimName, ephemeral }: ClaimUse): Waiting {
  const message = ephemeral ? 'it has not been made for the pod yet' : 'it does not exist';
  return claimLink(pod, claimName, 'created', cause('ClaimMissing', message, ephemeral));
}

function claimLink(pod: Pod, claim: string, tobe: Waiting['tobe'], because: Cause): Waiting {
  const who = partyOf('Pod', pod);
  return { who, for: { ...who, kind: 'PersistentVolumeClaim', name: claim }, tobe, because };
}

function whyClaims(
  pod: Pod,
  claims: ((name: string) => PersistentVolumeClaim | undefined) | undefined,
): Waiting | undefined {
  if (!claims) return undefined;
  for (const use of claimsOf(pod)) {
    const claim = claims(use.claimName);
    if (!claim) return missingClaim(pod, use);
    const because = whyNotBound(claim);
    if (because) return claimLink(pod, use.claimName, 'Bound', because);
  }
  return undefined;
}

function exitOf(status: ContainerStatus): string {
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (!ended) return 'an unknown exit code';
  const word = ended.reason && ended.reason !== 'Error' && ended.reason !== 'Completed' ? ended.reason : '';
  return `exit code ${ended.exitCode}${word ? ` (${word})` : ''}${afterColon(ended.message)}`;
}

function whyContainers(pod: Pod): Cause {
  for (const status of pod.status?.initContainerStatuses ?? []) {
    const sidecar = isSidecar(pod, status.name);
    const done = sidecar ? status.started === true : status.state?.terminated?.exitCode === 0;
    if (!done) return whyContainer(pod, status, 'init container');
  }
  const unready = (pod.status?.containerStatuses ?? []).find((status) => !status.ready);
  if (unready) return whyContainer(pod, unready, 'container');
  if (!pod.status?.containerStatuses?.length) {
    return cause(
      'ContainerCreating',
      `node ${pod.spec.nodeName ?? ''} has not started its containers yet`,
      true,
    );
  }
  return whyGates(pod) ?? cause('NotReady', 'it is not Ready', true);
}

function isSidecar(pod: Pod, name: string): boolean {
  return pod.spec.initContainers?.find((container) => container.name === name)?.restartPolicy === 'Always';
}

function whyContainer(pod: Pod, status: ContainerStatus, word: string): Cause {
  const named = `${word} ${status.name}`;
  const { waiting, terminated, running } = status.state ?? {};
  if (waiting) {
    const reason = waiting.reason ?? 'ContainerWaiting';
    if (STARTING_REASONS.has(reason)) {
      return cause(reason, `${named} is being created${afterColon(waiting.message)}`, true);
    }
    const last = status.lastState?.terminated ? `, last ended with ${exitOf(status)}` : '';
    return cause(reason, `${named}: ${reason}${afterColon(waiting.message)}${last}`);
  }
  if (terminated) {
    return cause(terminated.reason ?? 'ContainerTerminated', `${named} ended with ${exitOf(status)}`);
  }
  if (!running) return cause('ContainerCreating', `${named} is being created`, true);
  return whyProbe(pod, status, named);
}

function whyProbe(pod: Pod, status: ContainerStatus, named: string): Cause {
  const spec = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].find(
    (container) => container.name === status.name,
  );
  if (word(status) === 'startup' && spec?.startupProbe) {
    return cause(
      'StartupProbe',
      `${named} runs; ${describeProbe('startup', spec.startupProbe)} has not succeeded yet`,
      true,
    );
  }
  const told = toldBy(pod);
  if (told) return cause('ReadinessProbeFailed', told);
  if (spec?.readinessProbe) {
    return cause(
      'ReadinessProbeFailed',
      `${named} runs, but ${describeProbe('readiness', spec.readinessProbe)} has not succeeded`,
      true,
    );
  }
  return word(status) === 'startup'
    ? cause('Starting', `${named} is starting`, true)
    : cause('NotReady', `${named} runs and is not ready yet`, true);
}

function word(status: ContainerStatus): 'startup' | 'readiness' {
  return status.started === true ? 'readiness' : 'startup';
}

/** What the node says beyond upstream's list of unready containers, if it says more. */
function toldBy(pod: Pod): string | undefined {
  for (const type of ['ContainersReady', 'Ready']) {
    const message = conditionOf(pod, type)?.message;
    const more = message?.replace(/^containers with unready status: \[[^\]]*\][;,:]?\s*/, '');
    if (more) return more;
  }
  return undefined;
}

function whyGates(pod: Pod): Cause | undefined {
  const gate = pod.spec.readinessGates?.find(
    (candidate) => conditionOf(pod, candidate.conditionType)?.status !== 'True',
  );
  if (!gate) return undefined;
  const told = conditionOf(pod, gate.conditionType)?.message;
  return cause(
    'ReadinessGatesNotReady',
    `its readiness gate ${gate.conditionType} is not True${afterColon(told)}`,
  );
}
