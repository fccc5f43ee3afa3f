// What a set waits for, as the value of api/between/waiting.ts: which of its pods (or the set itself) is held back, from
// what, by whom, and why. The reasons of a single pod come from api/why/.

import { type Cause, type Party, partyOf, type Waiting } from '../../api/between/waiting.ts';
import { conditionOf } from '../../api/conditions.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { controllerOf, isTerminating, type Stored } from '../../api/objects.ts';
import { whyNotExpanded } from '../../api/why/claim.ts';
import { whyNotGone, whyNotReady } from '../../api/why/pod.ts';
import type { Blocked } from './actions.ts';
import { isAvailable, isRunningAndReady } from './health.ts';
import { restartingContainer } from './in-place-record.ts';
import type { Replica, Scene } from './scene.ts';
import { updateOrder } from './update-order.ts';

function replicaParty({ set }: Scene, { name }: Replica): Party {
  return { kind: 'Pod', name, namespace: set.metadata.namespace };
}

/** By a pod that still has to go. */
export function untilGone(pod: Stored<Pod>): Blocked {
  const because: Cause = isTerminating(pod)
    ? whyNotGone(pod)
    : { reason: 'PodTerminating', message: 'it is being deleted', passing: true };
  return { for: partyOf('Pod', pod), tobe: 'gone', because };
}

/** By a pod that is being created in this pass. */
export function untilCreated(scene: Scene, replica: Replica): Blocked {
  const because: Cause = { reason: 'PodCreating', message: 'it is being created', passing: true };
  return { for: replicaParty(scene, replica), tobe: 'Ready', because };
}

/** By a lost claim that is being made again, without which the pod cannot start. */
export function untilClaimCreated(pod: Stored<Pod>, claim: string): Blocked {
  const who = partyOf('Pod', pod);
  const because: Waiting = {
    who,
    for: { ...who, kind: 'PersistentVolumeClaim', name: claim },
    tobe: 'created',
    because: { reason: 'ClaimCreating', message: 'it is being created', passing: true },
  };
  return { for: who, tobe: 'Ready', because };
}

/** By a pod whose containers get other images in place. */
export function untilRestarted(pod: Stored<Pod>, containers: readonly string[]): Blocked {
  const which = `container${containers.length === 1 ? '' : 's'} ${containers.join(', ')}`;
  const message =
    containers.length === 0 ? 'it is updated in place' : `${which} restarts in place with another image`;
  return {
    for: partyOf('Pod', pod),
    tobe: 'Ready',
    because: { reason: 'InPlaceUpdate', message, passing: true },
  };
}

const waitsToStart = (pod: Pod, container: string): boolean =>
  pod.status?.containerStatuses?.some(({ name, state }) => name === container && state?.waiting) === true;

/** By a pod that is not ready, or not yet for long enough; undefined if nothing is wrong with it. */
export function untilAvailable(scene: Scene, pod: Stored<Pod>): Blocked | undefined {
  if (isTerminating(pod)) return untilGone(pod);
  const restarting = restartingContainer(pod);
  // Between the old container and the new one. A new one that cannot start is told like any other.
  if (restarting !== undefined && !waitsToStart(pod, restarting)) return untilRestarted(pod, [restarting]);
  if (!isRunningAndReady(pod)) {
    const because = whyNotReady(pod, (name) => scene.claims.get(name)) ?? {
      reason: 'NotRunning',
      message: `its phase is ${pod.status?.phase ?? 'Pending'}`,
      passing: true,
    };
    return { for: partyOf('Pod', pod), tobe: 'Ready', because };
  }
  if (isAvailable(pod, scene.minReadySeconds, scene.now)) return undefined;
  const since = conditionOf(pod, 'Ready')?.lastTransitionTime;
  const because: Cause = {
    reason: 'MinReadySeconds',
    message: `it has to be Ready for ${scene.minReadySeconds} s, and is since ${since ?? 'an unknown time'}`,
    passing: since !== undefined,
  };
  return { for: partyOf('Pod', pod), tobe: 'Available', because };
}

/** By a claim that has to go before a pod of this ordinal can be made. */
export function untilClaimGone(
  scene: Scene,
  replica: Replica,
  claim: Stored<PersistentVolumeClaim>,
): Blocked {
  const because: Cause = isTerminating(claim)
    ? { reason: 'ClaimTerminating', message: 'it is being deleted', passing: true }
    : {
        reason: 'ClaimStale',
        message: 'it belongs to an earlier pod of that name and is deleted with it (whenScaled: Delete)',
        passing: true,
      };
  return {
    who: replicaParty(scene, replica),
    for: partyOf('PersistentVolumeClaim', claim),
    tobe: 'gone',
    because,
  };
}

/** By a claim whose volume has yet to grow. */
export function untilExpanded(claim: Stored<PersistentVolumeClaim>): Blocked {
  const because = whyNotExpanded(claim);
  return { for: partyOf('PersistentVolumeClaim', claim), tobe: 'expanded', because };
}

/** By a pod of the name that is not the set's. */
export function untilNameFree(scene: Scene, stranger: Stored<Pod>): Blocked {
  const owner = controllerOf(stranger);
  const whose = owner
    ? `it is controlled by ${owner.kind} ${owner.name}`
    : "it has no controller, and its labels do not match the set's selector";
  return {
    who: partyOf('StatefulSet', scene.set),
    for: partyOf('Pod', stranger),
    tobe: 'gone',
    because: isTerminating(stranger)
      ? whyNotGone(stranger)
      : { reason: 'NameTaken', message: `it is not a pod of this set: ${whose}`, passing: false },
  };
}

/**
 * The whole value: the block, and the one that it holds back most immediately.
 * @param acted the names of the pods that something is done to in this pass: they wait for nobody.
 */
export function waitingFor(scene: Scene, blocked: Blocked, acted: ReadonlySet<string>): Waiting {
  const { who, ...rest } = blocked;
  if (who) return who.kind === 'Pod' ? { who, act: 'creation', ...rest } : { who, ...rest };
  const isFree = (replica: Replica): boolean => replica.name !== blocked.for.name && !acted.has(replica.name);
  if (scene.monotonic) {
    const missing = scene.replicas.find((replica) => !replica.pod && isFree(replica));
    if (missing) return { who: replicaParty(scene, missing), act: 'creation', ...rest };
    const leaving = scene.condemned.find((replica) => !isTerminating(replica.pod) && isFree(replica));
    if (leaving) return { who: partyOf('Pod', leaving.pod), act: 'deletion', ...rest };
  }
  const outdated = nextToUpdate(scene, isFree);
  if (outdated) return { who: partyOf('Pod', outdated), act: 'update', ...rest };
  return { who: partyOf('StatefulSet', scene.set), ...rest };
}

function nextToUpdate(scene: Scene, isFree: (replica: Replica) => boolean): Stored<Pod> | undefined {
  if (scene.set.spec.updateStrategy?.type === 'OnDelete' || scene.options.paused) return undefined;
  const { now, last } = updateOrder(scene);
  return (now.find(isFree) ?? last.find(isFree))?.pod;
}
