// Growing the bytes of a volume whose object says that it has more than its claim can use, and telling the claim how
// that went: the part of kubelet that finishes an expansion. Who raises the capacity is not here.

import { isReservedFor, RESIZE_CONDITIONS } from '../../../api/between/volume-binding.ts';
import { isNotFound } from '../../../api/errors.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { amountOf } from '../../../api/quantity.ts';
import { persistentVolumeClaims } from '../../../api/resources/persistent-volume-claims/definition.ts';
import { timestamp } from '../../../base/clock.ts';
import type { EventRecorder } from '../../../client/events.ts';
import type { RunContext } from '../../../client/run-context.ts';
import { VolumeNotReadyError } from '../volumes.ts';
import type { LocalVolume } from './layout.ts';
import type { LocalVolumes } from './local-volumes.ts';

/** How soon a growth that failed (the disk is full) is tried again. */
const RETRY_MS = 15_000;

/** Whether the volume has more than its claim knows of. */
export function isToGrow(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const usable = claim.status?.capacity?.storage;
  return (
    usable !== undefined &&
    isReservedFor(volume, claim) &&
    claim.spec.volumeName === volume.metadata.name &&
    amountOf(volume.spec.capacity?.storage) > amountOf(usable)
  );
}

/** The claim's status when its volume has grown. */
export function grownStatus(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): PersistentVolumeClaimStatus {
  const { conditions, ...status } = claim.status ?? {};
  const others = conditions?.filter(({ type }) => !RESIZE_CONDITIONS.includes(type)) ?? [];
  const capacity = { ...status.capacity, ...volume.spec.capacity };
  return others.length > 0 ? { ...status, capacity, conditions: others } : { ...status, capacity };
}

/** The claim's status when its volume could not grow; undefined if it says so already. */
export function failedStatus(
  claim: PersistentVolumeClaim,
  message: string,
  now: number,
): PersistentVolumeClaimStatus | undefined {
  const before = claim.status?.conditions ?? [];
  const told = before.find(({ type }) => type === 'NodeResizeError');
  if (told?.status === 'True' && told.message === message) return undefined;
  const time = timestamp(now);
  const failed = { type: 'NodeResizeError', status: 'True', message, lastTransitionTime: time };
  return {
    ...claim.status,
    conditions: [...before.filter((each) => each !== told), { ...failed, lastProbeTime: time }],
  };
}

/**
 * Grows a volume if its claim is to have more, and tells the claim.
 * @returns when to come again, if it did not succeed.
 */
export async function growForClaim(
  context: RunContext,
  events: EventRecorder,
  volumes: Pick<LocalVolumes, 'grow'>,
  volume: Stored<PersistentVolume>,
  local: LocalVolume,
): Promise<{ requeueAfterMs: number } | undefined> {
  const { client, clock } = context;
  const claim = await claimOf(context, volume);
  if (!claim || !isToGrow(volume, claim)) return undefined;
  const write = (status: PersistentVolumeClaimStatus): Promise<unknown> =>
    client.update(persistentVolumeClaims, structuredClone({ ...claim, status }), { subresource: 'status' });
  try {
    await volumes.grow(local, local.sizeBytes);
  } catch (error) {
    if (!(error instanceof VolumeNotReadyError)) throw error;
    const status = failedStatus(claim, error.message, clock.now());
    if (status) {
      await write(status);
      events.event(claim, 'Warning', 'VolumeResizeFailed', error.message);
    }
    return { requeueAfterMs: RETRY_MS };
  }
  await write(grownStatus(claim, volume));
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${volume.metadata.name}"`;
  events.event(claim, 'Normal', 'FileSystemResizeSuccessful', message);
  return undefined;
}

/** Asked of the API itself: a node does not watch the claims of a whole cluster. */
async function claimOf(
  { client }: RunContext,
  { spec: { claimRef } }: PersistentVolume,
): Promise<Stored<PersistentVolumeClaim> | undefined> {
  if (!claimRef?.name) return undefined;
  try {
    return await client.get(persistentVolumeClaims, { namespace: claimRef.namespace, name: claimRef.name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
