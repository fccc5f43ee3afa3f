// Which ordinals belong to which revision while an update is on, and how many pods may be down for it.
import type { StatefulSet } from '../../api/generated/types.ts';
import { scaledValue } from '../../api/int-or-percent.ts';
import { replicasOf, startOrdinal } from './identity.ts';
import type { Revision, Revisions } from './revisions.ts';

/** The index (from the first ordinal on) of the first replica that is updated: spec's partition. */
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
 * revision as there are pods of it.
 */
export function revisionForNewPod(
  set: StatefulSet,
  { current, update }: Revisions,
  ordinal: number,
): Revision {
  const index = ordinal - startOrdinal(set);
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (rollingUpdate) return index < (rollingUpdate.partition ?? 0) ? current : update;
  const isRolling = type === undefined || type === 'RollingUpdate';
  return isRolling && index < (set.status?.currentReplicas ?? 0) ? current : update;
}
