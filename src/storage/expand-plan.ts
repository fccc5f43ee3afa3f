// What is to be done to make the volume of one claim larger: the capacity of the volume's object is raised here, its
// node then makes the bytes, and says on the claim when they can be used. A pure function of the claim, its volume
// and its class. Conditions and their order follow external-resizer (pkg/controller/controller.go).

import { LOCAL_PROVISIONER } from '../api/between/local-volumes.ts';
import {
  isFullyBound,
  isReservedFor,
  PROVISIONED_BY,
  RESIZE_CONDITIONS,
} from '../api/between/volume-binding.ts';
import type { Cause } from '../api/between/waiting.ts';
import { isConditionTrue } from '../api/conditions.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  StorageClass,
} from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { amountOf } from '../api/quantity.ts';
import { timestamp } from '../base/clock.ts';

/** All that the decision may depend on. */
export interface ExpandObservation {
  claim: Stored<PersistentVolumeClaim>;
  volume: Stored<PersistentVolume> | undefined;
  storageClass: StorageClass | undefined;
  /** ms since the epoch. */
  now: number;
}

type Conditions = PersistentVolumeClaimCondition[];

export type ExpandStep =
  /** Not ours, not bound, or large enough. */
  | { type: 'nothing' }
  /** The event says why. */
  | { type: 'refuse'; because: Cause }
  /** The claim says that its volume is being made larger. */
  | { type: 'begin'; conditions: Conditions }
  /** The volume's object gets its new capacity. */
  | { type: 'raise'; storage: string }
  /** The claim says that its node is next. */
  | { type: 'hand over'; conditions: Conditions };

const NODE_IS_NEXT =
  'Waiting for the node of the volume to finish the file system resize; pods that use it go on meanwhile.';

/** The next step; each is done before the next is asked for. */
export function planExpand({ claim, volume, storageClass, now }: ExpandObservation): ExpandStep {
  if (!volume || claim.metadata.deletionTimestamp || volume.metadata.deletionTimestamp) {
    return { type: 'nothing' };
  }
  const isOurs = volume.metadata.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER;
  if (!isOurs || !isFullyBound(claim) || !isReservedFor(volume, claim)) return { type: 'nothing' };
  const storage = claim.spec.resources?.requests?.storage ?? '0';
  const wanted = amountOf(storage);
  const made = amountOf(volume.spec.capacity?.storage);
  const usable = amountOf(claim.status?.capacity?.storage);
  // A claim that has just been bound says soon what it has.
  if (claim.status?.capacity?.storage === undefined || wanted <= usable) return { type: 'nothing' };
  if (wanted > made) {
    if (storageClass?.allowVolumeExpansion === false) {
      const { name } = storageClass.metadata;
      const message = `volume ${volume.metadata.name} cannot grow: StorageClass "${name}" has not allowVolumeExpansion: true`;
      return { type: 'refuse', because: { reason: 'VolumeResizeFailed', message, passing: false } };
    }
    return isConditionTrue(claim, 'Resizing')
      ? { type: 'raise', storage }
      : { type: 'begin', conditions: withResize(claim, 'Resizing', now) };
  }
  if (isConditionTrue(claim, 'FileSystemResizePending')) return { type: 'nothing' };
  return { type: 'hand over', conditions: withResize(claim, 'FileSystemResizePending', now, NODE_IS_NEXT) };
}

/** The claim's conditions with this one in place of whatever was said of the resize before. */
function withResize(
  claim: PersistentVolumeClaim,
  type: 'Resizing' | 'FileSystemResizePending',
  now: number,
  message?: string,
): Conditions {
  const others = (claim.status?.conditions ?? []).filter((each) => !RESIZE_CONDITIONS.includes(each.type));
  const condition: PersistentVolumeClaimCondition = {
    type,
    status: 'True',
    lastProbeTime: timestamp(now),
    lastTransitionTime: timestamp(now),
  };
  return [...others, message === undefined ? condition : { ...condition, message }];
}
