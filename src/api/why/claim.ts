// Why a claim is not Bound, or not as large as it is to be, read from the claim alone: its phase, its conditions. The provisioner's
// and the binder's own reasons reach it through the claim's conditions; events are not looked at.

import type { Cause } from '../between/waiting.ts';
import { conditionOf, isConditionTrue } from '../conditions.ts';
import type { PersistentVolumeClaim } from '../generated/types.ts';

/**
 * Why the claim is not Bound; undefined if it is. A claim being deleted counts as not usable.
 * @param hasClass whether a storage class exists; without it, all do.
 */
export function whyNotBound(
  claim: PersistentVolumeClaim,
  hasClass: (name: string) => boolean = () => true,
): Cause | undefined {
  if (claim.metadata.deletionTimestamp) {
    return {
      reason: 'ClaimTerminating',
      message: 'it is being deleted, and a pod still uses it or a finalizer holds it',
      passing: true,
    };
  }
  const phase = claim.status?.phase ?? 'Pending';
  if (phase === 'Bound') return undefined;
  if (phase === 'Lost') {
    const volume = claim.spec.volumeName;
    return {
      reason: 'ClaimLost',
      message: `it has lost its volume${volume ? ` ${volume}` : ''}`,
      passing: false,
    };
  }
  const told = claim.status?.conditions?.find((condition) => condition.message);
  if (told?.message) {
    return { reason: told.reason ?? 'ClaimPending', message: told.message, passing: false };
  }
  const storageClass = claim.spec.storageClassName;
  if (storageClass && !hasClass(storageClass)) {
    const message = `its storage class ${storageClass} does not exist`;
    return { reason: 'ClassMissing', message, passing: false };
  }
  return {
    reason: 'ClaimPending',
    message: storageClass
      ? `no volume of class ${storageClass} has been bound to it`
      : 'it names no storage class, and no volume has been bound to it',
    passing: Boolean(storageClass),
  };
}

/** Why a claim that has to grow has not grown yet. */
export function whyNotExpanded(claim: PersistentVolumeClaim): Cause {
  for (const type of ['NodeResizeError', 'ControllerResizeError']) {
    const failed = conditionOf(claim, type);
    if (failed?.status === 'True')
      return { reason: type, message: failed.message ?? 'its volume could not grow', passing: false };
  }
  if (isConditionTrue(claim, 'FileSystemResizePending')) {
    const message = 'the node of its volume has yet to make the file system larger';
    return { reason: 'FileSystemResizePending', message, passing: true };
  }
  if (isConditionTrue(claim, 'Resizing'))
    return { reason: 'Resizing', message: 'its volume is being made larger', passing: true };
  return { reason: 'ClaimExpanding', message: 'its volume is asked to grow', passing: true };
}
