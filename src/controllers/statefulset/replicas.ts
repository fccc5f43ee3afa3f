// The pods that the set wants, lowest ordinal first: ended ones are deleted to be made again, missing ones created,
// lost claims made again, labels and owners corrected. OrderedReady stops at the first that is not available.
// Follows processReplica upstream.
import { isTerminating } from '../../api/objects.ts';
import type { Action, Blocked } from './actions.ts';
import {
  claimsAreFine,
  claimWork,
  conflictingClaims,
  isEmpty,
  storageMatches,
  terminatingClaim,
} from './claims.ts';
import { hasEnded, phaseOf } from './health.ts';
import { identityMatches, withIdentity } from './identity.ts';
import { inPlaceUpdate, withoutRecord } from './in-place.ts';
import { inPlaceRecord } from './in-place-record.ts';
import { newPod, withStorage } from './new-pod.ts';
import { revisionForNewPod } from './partition.ts';
import { isStuck } from './recovery.ts';
import { staleClaim } from './retention.ts';
import type { Condemned, Replica, Scene, Step } from './scene.ts';
import {
  untilAvailable,
  untilClaimCreated,
  untilClaimGone,
  untilCreated,
  untilGone,
  untilNameFree,
  untilRestarted,
} from './waiting.ts';

/** What the wanted ordinals need. */
export function processReplicas(scene: Scene): Step {
  const actions: Action[] = [];
  let firstBlocked: Blocked | undefined;
  for (const replica of scene.replicas) {
    if (isFine(scene, replica)) continue;
    const step = hasPod(replica) ? processPod(scene, replica) : createPod(scene, replica);
    actions.push(...step.actions);
    firstBlocked ??= step.blocked;
    if (step.stop && scene.monotonic) return { actions, blocked: firstBlocked, stop: true };
  }
  return { actions, blocked: firstBlocked, stop: false };
}

/** What nearly all pods of a large set are: available, and in line with the set. */
function isFine({ set, claims }: Scene, replica: Replica): boolean {
  const { health, pod } = replica;
  return (
    pod !== undefined &&
    health?.ready === true &&
    health.available &&
    !health.terminating &&
    health.inLine &&
    storageMatches(set, pod, replica) &&
    claimsAreFine(set, claims, replica)
  );
}

const hasPod = (replica: Replica): replica is Condemned => replica.pod !== undefined;

function createPod(scene: Scene, replica: Replica): Step {
  const { set, claims } = scene;
  const { ordinal, name } = replica;
  const stranger = scene.strangers.get(name);
  if (stranger) return { actions: [], blocked: untilNameFree(scene, stranger), stop: true };
  const inTheWay = staleClaim(set, claims, replica) ?? terminatingClaim(claims, replica);
  if (inTheWay) return { actions: [], blocked: untilClaimGone(scene, replica, inTheWay), stop: true };
  const revision = revisionForNewPod(scene, replica);
  const work = claimWork(set, claims, replica, true);
  work.conflicting = conflictingClaims(set, claims, replica);
  const pod = newPod(set, revision.template, revision.name, ordinal);
  return {
    actions: [{ type: 'createPod', pod, claims: work }],
    blocked: untilCreated(scene, replica),
    stop: true,
  };
}

function processPod(scene: Scene, replica: Condemned): Step {
  const { pod } = replica;
  if (hasEnded(pod)) {
    const actions: Action[] = isTerminating(pod) ? [] : [{ type: 'deletePod', pod, why: 'ended' }];
    return { actions, blocked: untilGone(pod), stop: true };
  }
  if (scene.monotonic && isStuck(scene, replica)) {
    const recovery: Action = inPlaceUpdate(scene, replica) ?? { type: 'deletePod', pod, why: 'recovery' };
    const blocked =
      recovery.type === 'updateInPlace' ? untilRestarted(pod, recovery.restarted) : untilGone(pod);
    return { actions: [recovery], blocked, stop: true };
  }
  const actions = phaseOf(pod) === 'Pending' ? claimsOfPendingPod(scene, replica) : [];
  const lost = actions.flatMap((action) => (action.type === 'fixClaims' ? action.claims.create : []))[0];
  const blocked = lost ? untilClaimCreated(pod, lost.metadata.name ?? '') : untilAvailable(scene, pod);
  if (blocked && scene.monotonic) return { actions, blocked, stop: true };
  // A pending pod's claims have been seen to; here it is about the rest.
  if (actions.length === 0) actions.push(...bringInLine(scene, replica));
  return { actions, blocked, stop: false };
}

/** A pod that waits for claims which somebody deleted would wait for ever: they are made again. */
function claimsOfPendingPod({ set, claims }: Scene, replica: Condemned): Action[] {
  const { pod } = replica;
  const work = claimWork(set, claims, replica, true);
  return isEmpty(work) ? [] : [{ type: 'fixClaims', pod, claims: work }];
}

function bringInLine({ set, claims }: Scene, replica: Condemned): Action[] {
  const { health, ordinal, pod } = replica;
  const isRestarted = inPlaceRecord(pod) !== undefined && health.ready;
  const hasIdentity = identityMatches(pod);
  const hasStorage = storageMatches(set, pod, replica);
  const work = claimWork(set, claims, replica, !hasStorage);
  if (hasIdentity && hasStorage && !isRestarted) {
    return isEmpty(work) ? [] : [{ type: 'updatePod', pod, claims: work }];
  }
  const noted = isRestarted ? withoutRecord(pod) : pod;
  const named = hasIdentity ? noted : withIdentity(set, noted, ordinal);
  const changed = hasStorage ? named : withStorage(set, named, ordinal);
  return [{ type: 'updatePod', pod, changed, claims: work }];
}
