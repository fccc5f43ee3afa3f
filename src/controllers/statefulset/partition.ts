// Which ordinals belong to which revision while an update is on, and how many pods may be down for it.
import type { StatefulSet } from '../../api/generated/types.ts';
import { scaledValue } from '../../api/int-or-percent.ts';
import type { Revision } from '../revisions.ts';
import { replicasOf } from './identity.ts';
import type { Replica, Scene } from './scene.ts';

/** The index (among the wanted ordinals) of the first replica that is updated: spec's partition. */
export function firstUpdated(set: StatefulSet): number {
  return set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** How many pods may be unavailable during an update: at least one; percentages are rounded down. */
export function maxUnavailableOf(set: StatefulSet): number {
  const value = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(1, scaledValue(value, replicasOf(set), false));
}

/**
 * The revision at which an ordinal's pod is made (`newVersionedStatefulSetPod`): below the partition the current
 * one, otherwise the update's. A RollingUpdate without parameters keeps as many low ordinals at the current
 * revision as there are pods of it. While the rollout is paused, a pod is made at the update revision only above one
 * that the rollout has already taken there.
 */
export function revisionForNewPod(scene: Scene, { index }: Replica): Revision {
  const { set, revisions, options } = scene;
  const { current, update } = revisions;
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (rollingUpdate && index < (rollingUpdate.partition ?? 0)) return current;
  if (options.paused) return index > firstAtUpdate(scene) ? update : current;
  if (rollingUpdate) return update;
  const isRolling = type === undefined || type === 'RollingUpdate';
  return isRolling && index < (set.status?.currentReplicas ?? 0) ? current : update;
}

/** The index of the lowest replica whose pod is at the update revision. */
function firstAtUpdate({ replicas, revisions }: Scene): number {
  const first = replicas.findIndex(({ health }) => health?.revision === revisions.update.name);
  return first < 0 ? replicas.length : first;
}
