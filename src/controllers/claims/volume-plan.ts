// What to do about one volume: which phase it is in, and whether its claim has left it behind. A pure function of the
// volume and the claim that it names. Follows pkg/controller/volume/persistentvolume (syncVolume, reclaimVolume).

import { BOUND_BY_CONTROLLER, isFullyBound, PROVISIONED_BY } from '../../api/between/volume-binding.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';

export type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

export type VolumePlan =
  | { type: 'phase'; phase: VolumePhase; message?: string; event?: { reason: string; message: string } }
  /** The claim is gone: only after the API itself has said so is the volume Released. */
  | { type: 'release' }
  /** The claim was bound elsewhere: the reservation is taken back. */
  | { type: 'unbind' }
  /** The claim's turn: binding it brings the volume along. */
  | { type: 'claim' };

/** @param claim what is there under the name in claimRef; perhaps a later claim of the same name. */
export function planVolume(
  volume: Stored<PersistentVolume>,
  claim: Stored<PersistentVolumeClaim> | undefined,
): VolumePlan {
  const reference = volume.spec.claimRef;
  if (!reference) return { type: 'phase', phase: 'Available' };
  if (!reference.uid) return claim ? { type: 'claim' } : { type: 'phase', phase: 'Available' };
  if (!claim || claim.metadata.uid !== reference.uid) return { type: 'release' };
  if (!claim.spec.volumeName) return { type: 'claim' };
  if (claim.spec.volumeName === volume.metadata.name) {
    return isFullyBound(claim) ? { type: 'phase', phase: 'Bound' } : { type: 'claim' };
  }
  const made = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  return made && volume.spec.persistentVolumeReclaimPolicy === 'Delete'
    ? { type: 'release' }
    : { type: 'unbind' };
}

/**
 * What follows for a volume whose claim is gone. A provisioner deletes what it made; a volume made by hand with
 * the policy Delete has nobody who could delete it, and fails as it does upstream.
 */
export function releasedPhase(volume: Stored<PersistentVolume>): VolumePlan & { type: 'phase' } {
  const policy = volume.spec.persistentVolumeReclaimPolicy ?? 'Retain';
  const made = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  if (policy === 'Retain' || (policy === 'Delete' && made)) return { type: 'phase', phase: 'Released' };
  const kind = policy === 'Delete' ? 'deleter' : 'recycler';
  const message = `error getting ${kind} volume plugin for volume "${volume.metadata.name}": no volume plugin matched`;
  const reason = policy === 'Delete' ? 'VolumeFailedDelete' : 'VolumeFailedRecycle';
  return { type: 'phase', phase: 'Failed', message, event: { reason, message } };
}

/** The volume without its claim: wholly, or, if a user reserved it, without the claim's UID. */
export function unboundVolume(volume: Stored<PersistentVolume>): Stored<PersistentVolume> {
  const { [BOUND_BY_CONTROLLER]: chosenHere, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec;
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec:
      chosenHere !== undefined || !claimRef
        ? spec
        : { ...spec, claimRef: present({ ...claimRef, uid: undefined, resourceVersion: undefined }) },
  };
}
