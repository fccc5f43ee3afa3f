// All volumes of a pod, made ready together and taken down together. What belongs to a pod lies in
//
//   <data>/pod-volumes/<pod uid>/<volume name>/             its own directory, if the type has one
//   <data>/pod-volumes/<pod uid>/.persistent/<volume name>  a link to the directory of the PersistentVolume it uses
//   <data>/pod-volumes/<pod uid>/.images/<volume name>      an image's files are kept for it: an empty file
//   <data>/pod-volumes/<pod uid>/.sub-paths/<container>/<index of the volumeMount>  where a subPath is mounted
//
// so that a pod can be taken down that this process has never seen.
import { chmod, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StatusError } from '../../api/errors.ts';
import type { Pod, Volume } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { ephemeralClaimName } from '../../api/pod-state.ts';
import type { Clock } from '../../base/clock.ts';
import { eachOrThrow } from '../../base/each-by-itself.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import type { Client } from '../../client/client.ts';
import { removeUnmounted, unmountBelow } from '../machine/mounts.ts';
import type { Placement } from '../pods/spec/downward.ts';
import { memoryVolumeBytes, setUpEmptyDir } from './empty-dir.ts';
import { setUpHostPath } from './host-path.ts';
import { type ImageVolumeDependencies, ImageVolumes } from './image-volumes.ts';
import type { LocalVolume } from './local/layout.ts';
import type { LocalVolumes } from './local/local-volumes.ts';
import { fsGroupOf, giveToGroup } from './ownership.ts';
import { MissingKeyError } from './payload.ts';
import { claimedVolume } from './persistent-claim.ts';
import { ProjectedVolumes } from './projected.ts';
import { bindSubPath } from './sub-paths.ts';
import { volumeObjects } from './volume-objects.ts';
import { type PodVolumes, type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

const REFRESHED_AT_ONCE = 4;
/** A volume's name is a DNS label, so no volume is called one of these. */
const PERSISTENT = '.persistent';
const SUB_PATHS = '.sub-paths';

/** Where a volume of a pod lies if it is the pod's own. */
export function podVolumeDirectory(dataDirectory: string, podUid: string, volume: string): string {
  return join(dataDirectory, 'pod-volumes', podUid, volume);
}

export interface PodVolumesOptions {
  client: Client;
  /** An existing directory. */
  dataDirectory: string;
  local: LocalVolumes;
  run: RunCommand;
  clock: Clock;
  images: Omit<ImageVolumeDependencies, 'run'>;
  /** What downwardAPI fields of the pod's surroundings say. */
  placement(pod: Stored<Pod>): Placement;
}

/** Makes the volumes of this node's pods. */
export async function createPodVolumes(options: PodVolumesOptions): Promise<PodVolumes> {
  const { local, run, clock, placement } = options;
  const base = join(options.dataDirectory, 'pod-volumes');
  // Below it lie secrets, and directories that anybody may write to: they are for pods, not for the machine's users.
  await mkdir(base, { recursive: true, mode: 0o700 });
  await chmod(base, 0o700);
  // Mount points are compared with what the kernel says, which knows no symbolic links.
  const root = await realpath(base);
  const objects = volumeObjects(options.client);
  const projected = new ProjectedVolumes({ run, clock, objects, placement });

  const images = new ImageVolumes({ run, ...options.images }, objects);

  const setUpOne = async (
    pod: Stored<Pod>,
    volume: Volume,
    signal: AbortSignal | undefined,
  ): Promise<ReadyVolume> => {
    const podDirectory = join(root, pod.metadata.uid);
    const directory = join(podDirectory, volume.name);
    if (ProjectedVolumes.has(volume)) return projected.setUp(pod, volume, directory);
    if (volume.hostPath) return setUpHostPath(volume.hostPath);
    if (volume.persistentVolumeClaim)
      return setUpClaim(pod, volume.name, volume.persistentVolumeClaim, false, signal);
    if (volume.ephemeral) {
      const claimName = ephemeralClaimName(pod, volume.name);
      return setUpClaim(pod, volume.name, { claimName }, true, signal);
    }
    if (volume.emptyDir) {
      await mkdir(podDirectory, { recursive: true, mode: 0o711 });
      const memory = memoryVolumeBytes(pod, volume.emptyDir, placement(pod).allocatable.memoryBytes);
      return setUpEmptyDir(run, volume.emptyDir, directory, fsGroupOf(pod), memory);
    }
    if (volume.image) return images.setUp(pod, volume.name, volume.image, podDirectory, signal);
    const types = Object.keys(volume).filter((key) => key !== 'name');
    throw new VolumeNotReadyError(
      'FailedMount',
      `volumes of type ${types.join(', ') || 'none'} are not supported by this node`,
    );
  };

  const setUpClaim = async (
    pod: Stored<Pod>,
    volumeName: string,
    source: NonNullable<Volume['persistentVolumeClaim']>,
    ephemeral: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ReadyVolume> => {
    const found = await claimedVolume(pod, source, objects, local.volumesDirectory, ephemeral);
    if (isDevice(pod, volumeName)) {
      throw new VolumeNotReadyError(
        'FailedMount',
        `volume ${volumeName} has volumeMode Filesystem, but is specified in volumeDevices`,
      );
    }
    let hostPath: string;
    if ('local' in found) {
      await remember(pod.metadata.uid, volumeName, found.local);
      hostPath = await local.use(found.local, pod.metadata.uid);
    } else {
      hostPath = found.path;
    }
    const readOnly = source.readOnly === true;
    const group = fsGroupOf(pod);
    const takesGroup = 'local' in found || found.takesGroup;
    if (group && !readOnly && takesGroup) await giveToGroup(hostPath, group, signal);
    return { hostPath, readOnly };
  };

  /** The link is there before the volume is used, and goes after it has been released. */
  const remember = async (podUid: string, volumeName: string, volume: LocalVolume): Promise<void> => {
    const links = join(root, podUid, PERSISTENT);
    await mkdir(links, { recursive: true, mode: 0o711 });
    const link = join(links, volumeName);
    if ((await readlink(link).catch(() => undefined)) === volume.directory) return;
    await rm(link, { force: true });
    await symlink(volume.directory, link);
  };

  return {
    async setUp(pod, signal) {
      const volumes = pod.spec?.volumes ?? [];
      await mkdir(join(root, pod.metadata.uid), { recursive: true, mode: 0o711 });
      const outcomes = await Promise.allSettled(volumes.map((volume) => setUpOne(pod, volume, signal)));
      const ready = new Map<string, ReadyVolume>();
      for (const [index, volume] of volumes.entries()) {
        const outcome = outcomes[index];
        if (outcome?.status === 'rejected') throw explained(volume.name, outcome.reason);
        if (outcome) ready.set(volume.name, outcome.value);
      }
      return ready;
    },

    async refresh(pod) {
      const volumes = (pod.spec?.volumes ?? []).filter((volume) => ProjectedVolumes.has(volume));
      await eachOrThrow(volumes, REFRESHED_AT_ONCE, (volume) =>
        setUpOne(pod, volume, undefined).catch((error: unknown) => {
          throw explained(volume.name, error);
        }),
      );
    },

    async subPath({ podUid, container, index }, volume, path) {
      const target = join(root, podUid, SUB_PATHS, container, String(index));
      await bindSubPath(run, volume, path, target);
      return target;
    },

    async tearDown(podUid) {
      const podDirectory = join(root, podUid);
      // First of all: they hold the volumes' file systems.
      await unmountBelow(run, join(podDirectory, SUB_PATHS));
      await images.tearDown(podUid, podDirectory);
      projected.forget(podUid);
      const links = join(podDirectory, PERSISTENT);
      for (const name of await readdir(links).catch(() => [])) {
        const directory = await readlink(join(links, name));
        await local.release({ name: basename(directory), directory, sizeBytes: 0, mountOptions: [] }, podUid);
        await rm(join(links, name), { force: true });
      }
      await removeUnmounted(run, podDirectory);
    },

    podsOnDisk: () => readdir(root),
  };
}

/** Whether a container asks for a volume as a block device. */
function isDevice({ spec }: Pod, volumeName: string): boolean {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return containers.some(({ volumeDevices }) => volumeDevices?.some(({ name }) => name === volumeName));
}

/** Names the volume, in upstream's words. What is no trouble of the machine or the API is a defect: left as it is. */
function explained(volumeName: string, error: unknown): unknown {
  const known =
    error instanceof VolumeNotReadyError ||
    error instanceof MissingKeyError ||
    error instanceof StatusError ||
    error instanceof CommandError ||
    (error instanceof Error && 'syscall' in error);
  if (!known) return error;
  const reason = error instanceof VolumeNotReadyError ? error.reason : 'FailedMount';
  return new VolumeNotReadyError(
    reason,
    `MountVolume.SetUp failed for volume "${volumeName}" : ${error.message}`,
  );
}
