// What the garbage collector does about one object: delete it because its owners are gone, take stale references off
// it, or finish its own deletion as its finalizers ask. Pure functions. Follows
// pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem, processDeletingDependentsItem).
import type { OwnerReference } from '../../api/generated/types.ts';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';

/** The object stays until its dependents that block it are gone. */
export const FOREGROUND = 'foregroundDeletion';
/** The object stays until its dependents no longer name it as their owner. */
export const ORPHAN = 'orphan';

/** What is known of an owner: `absent` only after the API itself has said so. */
export type OwnerState = 'present' | 'absent' | 'deletingForeground' | 'unknown';

export type DependentPlan =
  | { type: 'keep' }
  /** The references to owners that are gone, or that wait for it to go, are taken off. */
  | { type: 'dropReferences'; uids: string[] }
  | { type: 'delete'; propagationPolicy: 'Background' | 'Foreground' | 'Orphan' };

/**
 * What to do about an object that has owners.
 * @param states what each owner reference's owner is, by its UID.
 * @param hasDependents whether others name it as their owner.
 */
export function planDependent(
  object: Stored,
  states: ReadonlyMap<string, OwnerState>,
  hasDependents: boolean,
): DependentPlan {
  const owners = object.metadata.ownerReferences ?? [];
  const finalizers = object.metadata.finalizers ?? [];
  if (owners.length === 0 || isTerminating(object)) return { type: 'keep' };
  const inState = (state: OwnerState): OwnerReference[] =>
    owners.filter((owner) => (states.get(owner.uid) ?? 'unknown') === state);
  // An owner that cannot be looked up counts as there: what is not known is not deleted.
  const solid = [...inState('present'), ...inState('unknown')];
  const dangling = inState('absent');
  const leaving = inState('deletingForeground');
  if (solid.length > 0) {
    const stale = [...dangling, ...leaving].map((owner) => owner.uid);
    return stale.length > 0 ? { type: 'dropReferences', uids: stale } : { type: 'keep' };
  }
  if (leaving.length > 0 && hasDependents) return { type: 'delete', propagationPolicy: 'Foreground' };
  if (finalizers.includes(ORPHAN)) return { type: 'delete', propagationPolicy: 'Orphan' };
  if (finalizers.includes(FOREGROUND)) return { type: 'delete', propagationPolicy: 'Foreground' };
  return { type: 'delete', propagationPolicy: 'Background' };
}

export type DeletingPlan =
  | { type: 'nothing' }
  /** Its dependents are looked at: they go, now that it is going. */
  | { type: 'deleteDependents' }
  | { type: 'orphanDependents' }
  | { type: 'finish'; finalizer: string };

/** What to do about an object that is being deleted and has one of the collector's finalizers. */
export function planDeleting(object: Stored, dependents: readonly KubeObject[]): DeletingPlan {
  const finalizers = object.metadata.finalizers ?? [];
  if (!isTerminating(object)) return { type: 'nothing' };
  if (finalizers.includes(ORPHAN)) {
    return dependents.length > 0 ? { type: 'orphanDependents' } : { type: 'finish', finalizer: ORPHAN };
  }
  if (!finalizers.includes(FOREGROUND)) return { type: 'nothing' };
  const blocking = dependents.some((dependent) =>
    dependent.metadata.ownerReferences?.some(
      (owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true,
    ),
  );
  return blocking ? { type: 'deleteDependents' } : { type: 'finish', finalizer: FOREGROUND };
}
