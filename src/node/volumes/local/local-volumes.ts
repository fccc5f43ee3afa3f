// The bytes of this node's PersistentVolumes: made when a pod first needs them, mounted once however many pods use
// them, unmounted when the last has gone, removed when the object goes. What is true is on disk and in the kernel's
// list of mounts; nothing is remembered here that a restart would lose.
import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../../base/log.ts';
import type { RunCommand } from '../../../base/machine-command.ts';
import { mountAt, readMounts, removeUnmounted } from '../../machine/mounts.ts';
import { probeBacking, type VolumeBacking } from './backing.ts';
import { createBytes, growBytes, mountBytes, unmountBytes, usableBytes } from './image.ts';
import { existingBacking, type LocalVolume, mountDirectory, usersDirectory } from './layout.ts';

export interface LocalVolumesOptions {
  /** Where all volumes of this node lie: an absolute path without symbolic links. */
  volumesDirectory: string;
  run: RunCommand;
  log: Log;
}

export class LocalVolumes {
  readonly volumesDirectory: string;
  readonly #run: RunCommand;
  readonly #log: Log;
  /** One change at a time for each volume: what is under way, by its name. */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #released = new Set<(volumeName: string) => void>();
  #backing: Promise<VolumeBacking> | undefined;

  constructor(options: LocalVolumesOptions) {
    this.volumesDirectory = options.volumesDirectory;
    this.#run = options.run;
    this.#log = options.log;
  }

  /** What new volumes are made of on this machine; found out once. */
  backing(): Promise<VolumeBacking> {
    this.#backing ??= probeBacking(this.#run, this.volumesDirectory).catch((error: unknown) => {
      this.#backing = undefined;
      throw error;
    });
    return this.#backing;
  }

  /**
   * Makes a volume ready for a pod and notes that the pod uses it. Idempotent.
   * @returns the directory of the volume's files.
   * @throws VolumeNotReadyError if the disk is full; CommandError if the machine's tools fail.
   */
  use(volume: LocalVolume, podUid: string): Promise<string> {
    return this.#alone(volume, async () => {
      let kind = await existingBacking(volume);
      if (!kind) {
        kind = (await this.backing()).kind;
        await createBytes(this.#run, volume, kind);
        this.#log.info('made a volume', { volume: volume.name, kind, bytes: volume.sizeBytes });
      }
      // The note comes first: a crash in between must not leave a mount in use that nobody is noted for.
      await mkdir(usersDirectory(volume), { recursive: true });
      await writeFile(join(usersDirectory(volume), podUid), '');
      return mountBytes(this.#run, volume, kind);
    });
  }

  /** A pod no longer uses a volume; the last one's leaving unmounts it. Idempotent. */
  async release(volume: LocalVolume, podUid: string): Promise<void> {
    await this.#alone(volume, async () => {
      await rm(join(usersDirectory(volume), podUid), { force: true });
      if ((await this.users(volume)).length === 0) await unmountBytes(this.#run, volume);
    });
    for (const listener of this.#released) listener(volume.name);
  }

  /** The UIDs of the pods that use a volume. */
  async users(volume: LocalVolume): Promise<string[]> {
    return readdir(usersDirectory(volume)).catch(() => []);
  }

  /**
   * Makes more of a volume usable, while pods use it. A volume whose bytes are not made yet is left: it is made in
   * its size.
   * @param sizeBytes the new size of the claim; less than it has changes nothing.
   * @throws VolumeNotReadyError if the disk is full, or if an ext4 volume would have to be unmounted for it.
   */
  grow(volume: LocalVolume, sizeBytes: number): Promise<void> {
    const grown = { ...volume, sizeBytes };
    return this.#alone(grown, async () => {
      const kind = await existingBacking(grown);
      if (!kind || kind === 'directory' || (await usableBytes(grown)) >= sizeBytes) return;
      const mounted = mountAt(await readMounts(), mountDirectory(grown)) !== undefined;
      if (mounted) return growBytes(this.#run, grown, kind);
      try {
        await mountBytes(this.#run, grown, kind);
      } finally {
        await unmountBytes(this.#run, grown);
      }
    });
  }

  /**
   * Removes a volume's bytes for ever. Idempotent.
   * @returns false, and nothing is touched, while a pod uses them.
   */
  remove(volume: LocalVolume): Promise<boolean> {
    return this.#alone(volume, async () => {
      if ((await this.users(volume)).length > 0) return false;
      await unmountBytes(this.#run, volume);
      await removeUnmounted(this.#run, volume.directory);
      this.#log.info('removed a volume', { volume: volume.name });
      return true;
    });
  }

  /** Calls back with a volume's name when a pod has stopped using it. Returns what ends that. */
  onReleased(listener: (volumeName: string) => void): () => void {
    this.#released.add(listener);
    return () => this.#released.delete(listener);
  }

  async #alone<T>(volume: LocalVolume, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(volume.directory);
    const mine = (before ?? Promise.resolve()).then(work, work);
    this.#busy.set(volume.directory, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(volume.directory) === mine) this.#busy.delete(volume.directory);
    }
  }
}

/** Makes the directory that holds a node's volumes, and says where it really is. */
export async function prepareVolumesDirectory(dataDirectory: string): Promise<string> {
  const directory = join(dataDirectory, 'volumes');
  await mkdir(directory, { recursive: true, mode: 0o711 });
  return realpath(directory);
}
