// Which finalizer a claim or a volume needs or is rid of, so that neither goes while it is in use. Pure functions.
// Follows pkg/controller/volume/pvcprotection and pvprotection.
import { CLAIM_PROTECTION, VOLUME_PROTECTION } from '../../api/between/volume-binding.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { claimsOf } from '../../api/pod-state.ts';

export type ProtectionPlan = 'keep' | 'add' | 'remove';

/** Whether the pod holds the claim: it is on a node, whatever its phase, and not yet gone from there. */
export function usesClaim(pod: Pod, claimName: string): boolean {
  return (
    Boolean(pod.spec.nodeName) && !isShutDown(pod) && claimsOf(pod).some((use) => use.claimName === claimName)
  );
}

/**
 * Whether the pod's node is done with it (its containers have ended, its volumes are unmounted), or a person has
 * forced its deletion: only finalizers hold it. It has to let go of its claims then, since a finalizer may wait for
 * them: a condemned pod that is deleted in the foreground owns its claims, and goes after them. Upstream has the rule
 * for claims of ephemeral volumes alone (`podIsShutDown`), and deadlocks on the others.
 */
export function isShutDown(pod: Pod): boolean {
  return isTerminating(pod) && pod.metadata.deletionGracePeriodSeconds === 0;
}

/** @param inUse whether a pod uses the claim. */
export function planClaimProtection(claim: Stored<PersistentVolumeClaim>, inUse: boolean): ProtectionPlan {
  return plan(claim.metadata.finalizers, CLAIM_PROTECTION, isTerminating(claim), inUse);
}

export function planVolumeProtection(volume: Stored<PersistentVolume>): ProtectionPlan {
  const inUse = volume.status?.phase === 'Bound';
  return plan(volume.metadata.finalizers, VOLUME_PROTECTION, isTerminating(volume), inUse);
}

function plan(
  finalizers: readonly string[] = [],
  finalizer: string,
  terminating: boolean,
  inUse: boolean,
): ProtectionPlan {
  const has = finalizers.includes(finalizer);
  if (!terminating) return has ? 'keep' : 'add';
  return has && !inUse ? 'remove' : 'keep';
}
