// image: the files of an image, read-only and not to be executed, brought in as its pull policy says (KEP 4639).
// What containerd keeps for a pod is noted before it is made, so that it can be let go by a process that never saw
// the pod.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImageVolumeSource, Pod, Secret } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { errorText } from '../../base/error-text.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { mountAt, readMounts, unmountBelow } from '../machine/mounts.ts';
import { invalidImageName } from '../pods/decide/image-name.ts';
import { credentialsFor } from '../pods/spec/pull-secrets.ts';
import type { FileSystemMount, ImageFiles, Runtime } from '../runtime.ts';
import type { VolumeObjects } from './volume-objects.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

/** A volume's name is a DNS label, so no volume is called this. */
const NOTES = '.images';
const OPTIONS = ['ro', 'noexec', 'nosuid', 'nodev'];

export interface ImageVolumeDependencies {
  run: RunCommand;
  runtime: Pick<Runtime, 'imageStatus' | 'pullImage'>;
  files: ImageFiles;
}

export class ImageVolumes {
  readonly #use: ImageVolumeDependencies;
  readonly #objects: Pick<VolumeObjects, 'secret'>;

  constructor(dependencies: ImageVolumeDependencies, objects: Pick<VolumeObjects, 'secret'>) {
    this.#use = dependencies;
    this.#objects = objects;
  }

  /**
   * Mounts the files of an image. Idempotent.
   * @param podDirectory the directory of all the pod's volumes.
   * @throws VolumeNotReadyError if the image is not there and cannot be brought.
   */
  async setUp(
    pod: Stored<Pod>,
    volumeName: string,
    source: ImageVolumeSource,
    podDirectory: string,
    signal: AbortSignal | undefined,
  ): Promise<ReadyVolume> {
    const { files, run } = this.#use;
    const directory = join(podDirectory, volumeName);
    const ready = { hostPath: directory, readOnly: true, sealed: true };
    if (mountAt(await readMounts(), directory)) return ready;
    if (!source.reference) {
      throw new VolumeNotReadyError('FailedMount', 'image.reference is empty: it must name an image');
    }
    const invalid = invalidImageName(source.reference);
    if (invalid !== undefined) throw new VolumeNotReadyError('InspectFailed', invalid);
    await this.#bringImage(pod, source.reference, source.pullPolicy, signal);
    await mkdir(join(podDirectory, NOTES), { recursive: true, mode: 0o711 });
    await writeFile(join(podDirectory, NOTES, volumeName), '');
    const mount = await files.keep(keyOf(pod.metadata.uid, volumeName), source.reference);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await mountFiles(run, mount, directory);
    return ready;
  }

  /** Unmounts and lets go of all images of a pod. Idempotent. */
  async tearDown(podUid: string, podDirectory: string): Promise<void> {
    const { files, run } = this.#use;
    for (const volumeName of await readdir(join(podDirectory, NOTES)).catch(() => [])) {
      await unmountBelow(run, join(podDirectory, volumeName));
      await files.letGo(keyOf(podUid, volumeName));
      await rm(join(podDirectory, NOTES, volumeName), { force: true });
    }
  }

  async #bringImage(
    pod: Stored<Pod>,
    image: string,
    policy: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { runtime } = this.#use;
    if (policy !== 'Always' && (await runtime.imageStatus(image)) !== undefined) return;
    if (policy === 'Never') {
      throw new VolumeNotReadyError(
        'FailedMount',
        `Container image "${image}" is not present with pull policy of Never`,
      );
    }
    try {
      await runtime.pullImage(image, credentialsFor(image, await this.#pullSecrets(pod)), signal);
    } catch (error) {
      const why = errorText(error);
      throw new VolumeNotReadyError('FailedMount', `Failed to pull image "${image}": ${why}`);
    }
  }

  async #pullSecrets(pod: Stored<Pod>): Promise<Secret[]> {
    const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name || []);
    const found = await Promise.all(
      names.map((name) => this.#objects.secret(pod.metadata.namespace ?? '', name)),
    );
    return found.filter((secret) => secret !== undefined);
  }
}

const keyOf = (podUid: string, volumeName: string): string => `stead-volume/${podUid}/${volumeName}`;

async function mountFiles(run: RunCommand, mount: FileSystemMount, target: string): Promise<void> {
  if (mount.type === 'bind') {
    await run('mount', ['-o', [...mount.options, ...OPTIONS].join(','), mount.source, target]);
    return;
  }
  const { directory, options } = shortened(mount.options);
  const all = [...options, ...OPTIONS].join(',');
  await run('mount', ['-t', mount.type, '-o', all, mount.source, target], { directory });
}

/**
 * The kernel takes one page of options: the directories of an image of many layers are named from where they all lie.
 */
export function shortened(options: readonly string[]): { directory: string; options: string[] } {
  const lower = options.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length);
  const first = lower?.split(':')[0] ?? '/';
  const directory = dirname(dirname(first));
  const shorter = lower
    ?.split(':')
    .map((path) => (path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path))
    .join(':');
  return {
    directory,
    options: options.map((option) => (option === `lowerdir=${lower}` ? `lowerdir=${shorter}` : option)),
  };
}
