// persistentVolumeClaim: from the claim that a pod names to a directory on this machine. Volumes of stead's own
// provisioner are made and mounted (local/); local and hostPath volumes that somebody prepared are used as they are.
import { stat } from 'node:fs/promises';
import { isReservedFor } from '../../api/between/volume-binding.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimVolumeSource,
  Pod,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { whyNotMadeFor } from '../../api/pod-state.ts';
import { setUpHostPath } from './host-path.ts';
import { type LocalVolume, localVolumeOf } from './local/layout.ts';
import type { VolumeObjects } from './volume-objects.ts';
import { VolumeNotReadyError } from './volumes.ts';

/** Where the bytes of a claim are: stead's own volume, or a path, and whether that is a volume that fsGroup is for. */
export type ClaimedVolume = { local: LocalVolume } | { path: string; takesGroup: boolean };

/**
 * Finds the volume behind a claim, in upstream's order of questions.
 * @param ephemeral whether the claim must be the one that was made for the pod.
 * @throws VolumeNotReadyError while there is none that this node can use.
 */
export async function claimedVolume(
  pod: Stored<Pod>,
  source: PersistentVolumeClaimVolumeSource,
  objects: VolumeObjects,
  volumesDirectory: string,
  ephemeral: boolean,
): Promise<ClaimedVolume> {
  const namespace = pod.metadata.namespace ?? '';
  const name = `${namespace}/${source.claimName}`;
  const claim = await objects.claim(namespace, source.claimName);
  if (!claim) throw failed(`persistentvolumeclaim "${source.claimName}" not found`);
  const foreign = ephemeral ? whyNotMadeFor(pod, claim) : undefined;
  if (foreign) throw failed(foreign);
  const volume = await boundVolumeOf(claim, name, objects);
  if (volume.spec?.volumeMode === 'Block') {
    throw failed(`PVC ${name}: volumeMode Block is not supported by this node`);
  }
  const local = localVolumeOf(volume, volumesDirectory);
  if (local) return { local };
  if (volume.spec?.local) {
    const { path } = volume.spec.local;
    const found = await stat(path).catch(() => undefined);
    if (!found) throw failed(`path "${path}" does not exist`);
    if (!found.isDirectory()) {
      throw failed(`path "${path}" is not a directory: of local volumes, this node mounts directories`);
    }
    return { path, takesGroup: true };
  }
  if (volume.spec?.hostPath) {
    return { path: (await setUpHostPath(volume.spec.hostPath)).hostPath, takesGroup: false };
  }
  throw failed(
    `PersistentVolume "${volume.metadata.name}" is of a type that this node cannot mount: it mounts local and hostPath`,
  );
}

async function boundVolumeOf(
  claim: PersistentVolumeClaim,
  name: string,
  objects: VolumeObjects,
): Promise<PersistentVolume> {
  if (claim.metadata.deletionTimestamp) {
    throw failed(`error processing PVC ${name}: PVC is being deleted`);
  }
  if (claim.status?.phase !== 'Bound' || !claim.spec?.volumeName) {
    throw failed(`error processing PVC ${name}: PVC is not bound`);
  }
  const volume = await objects.volume(claim.spec.volumeName);
  if (!volume) throw failed(`persistentvolume "${claim.spec.volumeName}" not found`);
  if (!isReservedFor(volume, claim)) {
    throw failed(`PersistentVolume "${claim.spec.volumeName}" is bound to another claim than ${name}`);
  }
  return volume;
}

const failed = (message: string): VolumeNotReadyError => new VolumeNotReadyError('FailedMount', message);
