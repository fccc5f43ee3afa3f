// From the volumeMounts of a container to what the runtime mounts into it (kubelet's makeMounts): which path of which
// volume, how it is written to, how mounts in it spread. Making volumes ready and mounting a subPath is ../volumes.
import type { Container, VolumeMount } from '../../../api/generated/types.ts';
import { errorText } from '../../../base/error-text.ts';
import type { ContainerMount } from '../../runtime.ts';
import type { PodVolumes, ReadyVolume } from '../../volumes/volumes.ts';
import { ContainerConfigError } from './environment.ts';
import { expandAll } from './expansion.ts';

/**
 * The mounts of one container, in the order of its volumeMounts. Paths inside volumes are mounted anew for each start.
 * @throws ContainerConfigError when a mount asks for what cannot be given.
 */
export async function volumeMounts(
  podVolumes: Pick<PodVolumes, 'subPath'>,
  podUid: string,
  container: Container,
  volumes: ReadonlyMap<string, ReadyVolume>,
  environment: ReadonlyMap<string, string>,
): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) {
      throw new ContainerConfigError(
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    }
    checkRecursiveReadOnly(mount);
    const subPath = subPathOf(mount, environment);
    const place = { podUid, container: container.name, index };
    mounts.push({
      hostPath: subPath
        ? await podVolumes.subPath(place, volume, subPath).catch((error: unknown) => {
            throw new ContainerConfigError(
              `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${withoutPaths(error)}`,
            );
          })
        : volume.hostPath,
      containerPath: mount.mountPath,
      readOnly: volume.sealed !== true && (volume.readOnly || mount.readOnly === true),
      propagation: propagationOf(mount),
    });
  }
  return mounts;
}

/**
 * The path inside the volume; empty for the whole volume. Pure.
 * @throws ContainerConfigError if a variable has no value, or if the path leads out by its words alone.
 */
function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  const subPath = mount.subPathExpr ? expanded(mount.subPathExpr, mount, environment) : (mount.subPath ?? '');
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw new ContainerConfigError(
      `subPath "${subPath}" of volume "${mount.name}" must be inside the volume`,
    );
  }
  return subPath;
}

function expanded(text: string, mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  try {
    return expandAll(text, (name) => environment.get(name));
  } catch (error) {
    const why = errorText(error);
    throw new ContainerConfigError(`subPathExpr "${text}" of volumeMount "${mount.name}": ${why}`);
  }
}

/** The runtime that stead drives cannot make what is mounted below a mount read-only with it. */
function checkRecursiveReadOnly({ name, recursiveReadOnly }: VolumeMount): void {
  if (recursiveReadOnly === 'Enabled') {
    throw new ContainerConfigError(
      `volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`,
    );
  }
}

function propagationOf({ mountPropagation }: VolumeMount): ContainerMount['propagation'] {
  if (mountPropagation === 'Bidirectional') return 'bidirectional';
  return mountPropagation === 'HostToContainer' ? 'host-to-container' : 'private';
}

/** Node ends its own messages with the path, which is none that means anything to a user. */
function withoutPaths(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'syscall' in error ? error.message.replace(/, \w+ '.*$/, '') : error.message;
}
