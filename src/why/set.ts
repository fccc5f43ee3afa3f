// Why a set does not go on: the controller's own decision about it, made once more from what the API shows, and what it
// waits for followed to its end.

import { type Cause, isWaiting, partyOf, rootCause, type Waiting } from '../api/between/waiting.ts';
import type { StatefulSet } from '../api/generated/types.ts';
import { controllerOf, isTerminating, type Stored } from '../api/objects.ts';
import { optionsOf, PAUSED, ROLLOUT_RECOVERY } from '../api/stateful-set-options.ts';
import { ordinalOf, revisionOf } from '../controllers/statefulset/identity.ts';
import type { Observation } from '../controllers/statefulset/observation.ts';
import { plan } from '../controllers/statefulset/plan.ts';
import { neverReady } from '../controllers/statefulset/recovery.ts';
import { explainClaim } from './claim.ts';
import type { Evidence } from './evidence.ts';
import { budgetsAgainst, explainPod } from './pod.ts';

const MOST_NOTES = 4;

/** What the set waits for; undefined if it is as it should be. */
export function explainSet(set: Stored<StatefulSet>, evidence: Evidence): Cause | Waiting | undefined {
  if (isTerminating(set)) return whyNotGone(set, evidence);
  const observed = observationOf(set, evidence);
  const { waiting } = plan(observed);
  if (!waiting) return undefined;
  const refused = isBeingCreated(waiting)
    ? evidence.warning('StatefulSet', set, ['FailedCreate'])
    : undefined;
  if (refused) {
    const times = refused.series?.count ?? refused.count ?? 1;
    const details = [times === 1 ? 'tried once' : `tried ${times} times`];
    const because = { reason: 'FailedCreate', message: refused.message ?? '', passing: false, details };
    return { ...waiting, tobe: 'created', because };
  }
  return deepened(waiting, evidence);
}

const isBeingCreated = (waiting: Waiting): boolean =>
  ['PodCreating', 'ClaimCreating'].includes(rootCause(waiting).reason);

/** What the controller sees of the set, but for what it would adopt. */
function observationOf(set: Stored<StatefulSet>, evidence: Evidence): Observation {
  const { objects } = evidence;
  const isOurs = (object: Stored): boolean => controllerOf(object)?.uid === set.metadata.uid;
  const named = evidence.pods().filter(({ metadata }) => ordinalOf(set, metadata.name) !== undefined);
  return {
    set,
    pods: named.filter(isOurs),
    strangers: named.filter((pod) => !isOurs(pod)),
    claims: objects.claims,
    expandableClasses: new Set(
      objects.classes.filter((each) => each.allowVolumeExpansion).map(({ metadata }) => metadata.name),
    ),
    revisions: objects.revisions.filter(isOurs),
    now: evidence.now,
  };
}

/** The chain, with its last link followed as far as the evidence goes. */
function deepened(link: Waiting, evidence: Evidence): Waiting {
  if (isWaiting(link.because)) return { ...link, because: deepened(link.because, evidence) };
  const { kind, name } = link.for;
  const pod = kind === 'Pod' ? evidence.pod(name) : undefined;
  const claim = kind === 'PersistentVolumeClaim' ? evidence.claim(name) : undefined;
  const deeper = (pod && explainPod(pod, evidence)) ?? (claim && explainClaim(claim, evidence));
  return deeper ? { ...link, because: deeper } : link;
}

function whyNotGone(set: Stored<StatefulSet>, evidence: Evidence): Cause | Waiting {
  const finalizers = set.metadata.finalizers ?? [];
  const owned = evidence.pods().filter((pod) => controllerOf(pod)?.uid === set.metadata.uid);
  const [pod] = owned;
  const who = partyOf('StatefulSet', set);
  if (finalizers.includes('foregroundDeletion') && pod) {
    const because = explainPod(pod, evidence) ?? {
      reason: 'ForegroundDeletion',
      message: 'the set is deleted in the foreground, after its pods',
      passing: true,
    };
    return {
      who,
      act: 'deletion',
      for: partyOf('Pod', pod),
      tobe: 'gone',
      because,
    };
  }
  const held = finalizers.length > 0 ? `, held by finalizer ${finalizers.join(', ')}` : '';
  return { reason: 'Terminating', message: `it is being deleted${held}`, passing: finalizers.length === 0 };
}

/** What keeps the set from being at its newest template although nothing is amiss, and what else is to be known. */
export function setNotes(set: Stored<StatefulSet>, evidence: Evidence): string[] {
  const observed = observationOf(set, evidence);
  const { status } = plan(observed);
  const notes: string[] = [];
  const { generation } = set.metadata;
  if (generation !== undefined && (set.status?.observedGeneration ?? 0) < generation) {
    notes.push('its controller has not seen the last change yet');
  }
  const outdated = observed.pods
    .filter((pod) => !isTerminating(pod) && revisionOf(pod) !== status.updateRevision)
    .map(({ metadata }) => metadata.name)
    .sort((a, b) => (ordinalOf(set, a) ?? 0) - (ordinalOf(set, b) ?? 0));
  if (outdated.length > 0) notes.push(...rolloutNotes(set, outdated));
  notes.push(...leftToPeople(set, observed, outdated));
  const budgets = new Set(observed.pods.flatMap((pod) => budgetsAgainst(pod, evidence)));
  for (const budget of budgets) notes.push(`none of its pods can be evicted now: ${budget}`);
  return notes.slice(0, MOST_NOTES);
}

/** Of the pods of an older template: those that never were Ready, and that nothing but a person replaces. */
function leftToPeople(
  set: Stored<StatefulSet>,
  { pods }: Observation,
  outdated: readonly string[],
): string[] {
  if (optionsOf(set).recoversRollouts) return [];
  return pods
    .filter((pod) => outdated.includes(pod.metadata.name) && neverReady(pod))
    .map(
      ({ metadata: { name } }) =>
        `${name} was made from an older template and has never been Ready; ${ROLLOUT_RECOVERY}: manual leaves it to you: kubectl delete pod ${name}`,
    );
}

function rolloutNotes(set: Stored<StatefulSet>, outdated: readonly string[]): string[] {
  const names = outdated.length > 5 ? `${outdated.length} pods` : outdated.join(', ');
  const are = outdated.length === 1 ? 'is' : 'are';
  const told = `${names} ${are} not at the newest template`;
  const { rollingUpdate, type } = set.spec.updateStrategy ?? {};
  if (set.metadata.annotations?.[PAUSED] === 'true') {
    return [`${told}: the rollout is paused; kubectl annotate sts ${set.metadata.name} ${PAUSED}-`];
  }
  if (type === 'OnDelete') {
    return [`${told}: with strategy OnDelete, a pod is made from it when somebody deletes the pod`];
  }
  const partition = rollingUpdate?.partition ?? 0;
  if (partition > 0) return [`${told}: partition ${partition} keeps the lowest ${partition} where they are`];
  return [];
}
