// One image file: made, mounted, grown, unmounted. Each step may be the last before a crash; the next call goes on
// from what it finds. Which pods use a volume is not known here.
import { chmod, mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { errorText } from '../../../base/error-text.ts';
import { CommandError, type RunCommand } from '../../../base/machine-command.ts';
import { detachLoopDevices } from '../../machine/loop-devices.ts';
import { mountAt, readMounts, unmountBelow } from '../../machine/mounts.ts';
import { VolumeNotReadyError } from '../volumes.ts';
import { type BackingKind, makeFileSystem } from './backing.ts';
import { dataDirectoryOf, imageFile, type LocalVolume, mountDirectory, sizeFile } from './layout.ts';
import { ext4ImageBytes, xfsImageBytes } from './size.ts';
import { reserve } from './space.ts';

const MIB = 1024 * 1024;
/** Volumes are for whoever the pod runs as; `fsGroup` narrows it. Other local provisioners do the same. */
const ROOT_MODE = 0o777;
/** After an estimate of the image's size, what is still missing is added; every round comes much closer. */
const GROW_ROUNDS = 4;
/** What goes through a whole file system may take long on a slow disk. */
const WHOLE_DISK_MS = 3 * 3600_000;

/** Makes the bytes of a volume that has none. They appear under their name only when they are whole. */
export async function createBytes(run: RunCommand, volume: LocalVolume, kind: BackingKind): Promise<void> {
  await mkdir(volume.directory, { recursive: true, mode: 0o700 });
  if (kind === 'directory') {
    await mkdir(dataDirectoryOf(volume), { recursive: true });
    await chmod(dataDirectoryOf(volume), ROOT_MODE);
    return;
  }
  const fs = kind === 'xfs-image' ? 'xfs' : 'ext4';
  const bytes = fs === 'xfs' ? xfsImageBytes(volume.sizeBytes) : ext4ImageBytes(volume.sizeBytes);
  const unfinished = `${imageFile(volume, fs)}.part`;
  // A smaller one may have been left by a crash before the claim's size was known to be another.
  await rm(unfinished, { force: true });
  try {
    await reserve(run, volume.name, unfinished, bytes);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await makeFileSystem(run, fs, unfinished, bytes);
  await sync(unfinished);
  await rename(unfinished, imageFile(volume, fs));
  await sync(volume.directory);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  await handle.sync().finally(() => handle.close());
}

/**
 * Mounts a volume whose bytes exist and brings it to its size.
 * @returns the directory of its files.
 */
export async function mountBytes(run: RunCommand, volume: LocalVolume, kind: BackingKind): Promise<string> {
  if (kind === 'directory') return dataDirectoryOf(volume);
  const target = mountDirectory(volume);
  if (!mountAt(await readMounts(), target)) await mountImage(run, volume, kind);
  if ((await usableBytes(volume)) < volume.sizeBytes) await growBytes(run, volume, kind);
  return target;
}

/** The size that was reached when it was last made or grown, in bytes; 0 if that never came to an end. */
export async function usableBytes(volume: LocalVolume): Promise<number> {
  return Number((await readFile(sizeFile(volume), 'utf8').catch(() => '')) || 0);
}

async function mountImage(
  run: RunCommand,
  volume: LocalVolume,
  kind: 'xfs-image' | 'ext4-image',
): Promise<void> {
  const target = mountDirectory(volume);
  await mkdir(target, { recursive: true });
  // `loop` lets the kernel free the device with the mount. A copy of an XFS image has its original's UUID.
  const fs = kind === 'xfs-image' ? 'xfs' : 'ext4';
  const usable = await usableBytes(volume);
  if (fs === 'ext4' && usable > 0 && usable < volume.sizeBytes) await growUnmountedExt4(run, volume);
  const options = [...(fs === 'xfs' ? ['loop', 'nouuid'] : ['loop']), ...volume.mountOptions].join(',');
  await run('mount', ['-t', fs, '-o', options, imageFile(volume, fs), target]);
  const device = mountAt(await readMounts(), target)?.source;
  // Without direct I/O every page would be cached twice. Not every file system below can do it, and no pod has to
  // wait for it.
  if (device) void run('losetup', ['--direct-io=on', device]).catch(() => {});
  if (usable === 0) await chmod(target, ROOT_MODE);
}

/**
 * Grows a mounted volume to its size, while it is in use.
 * @throws VolumeNotReadyError if the disk is full, or if it is an ext4 volume of a kernel that grows those only
 *   unmounted and it is in use.
 */
export async function growBytes(
  run: RunCommand,
  volume: LocalVolume,
  kind: 'xfs-image' | 'ext4-image',
): Promise<void> {
  const usable = await usableBytes(volume);
  // A new file system's free blocks are all that there is to use; later, only what is gained counts.
  let missing = usable === 0 ? volume.sizeBytes - (await freeBytes(volume)) : volume.sizeBytes - usable;
  for (let round = 0; missing > 0 && round < GROW_ROUNDS; round++) {
    const before = await freeBytes(volume);
    await enlarge(run, volume, kind, Math.ceil((missing * 1.01) / MIB) * MIB);
    missing -= (await freeBytes(volume)) - before;
  }
  await writeFile(sizeFile(volume), `${volume.sizeBytes}\n`);
}

async function freeBytes(volume: LocalVolume): Promise<number> {
  const { bfree, bsize } = await statfs(mountDirectory(volume));
  return bfree * bsize;
}

async function enlarge(
  run: RunCommand,
  volume: LocalVolume,
  kind: 'xfs-image' | 'ext4-image',
  byBytes: number,
): Promise<void> {
  const file = imageFile(volume, kind === 'xfs-image' ? 'xfs' : 'ext4');
  const target = mountDirectory(volume);
  const device = mountAt(await readMounts(), target)?.source ?? '';
  await reserve(run, volume.name, file, (await stat(file)).size + byBytes);
  await run('losetup', ['--set-capacity', device]);
  if (kind === 'xfs-image') {
    await run('xfs_growfs', [target]);
    return;
  }
  try {
    await run('resize2fs', [device], { timeoutMs: WHOLE_DISK_MS });
  } catch (error) {
    const why = errorText(error);
    throw new VolumeNotReadyError(
      'VolumeResizeFailed',
      `volume "${volume.name}" cannot grow while it is in use: ${why}; it grows when no pod uses it`,
    );
  }
}

/** Many kernels grow ext4 only while nobody has it mounted. */
async function growUnmountedExt4(run: RunCommand, volume: LocalVolume): Promise<void> {
  const file = imageFile(volume, 'ext4');
  await reserve(run, volume.name, file, ext4ImageBytes(volume.sizeBytes));
  // resize2fs wants a check first; exit code 1 says that something small was put right.
  await run('e2fsck', ['-f', '-p', file], { timeoutMs: WHOLE_DISK_MS }).catch((error: unknown) => {
    if (!(error instanceof CommandError) || error.exitCode !== 1) throw error;
  });
  await run('resize2fs', [file], { timeoutMs: WHOLE_DISK_MS });
  await writeFile(sizeFile(volume), `${volume.sizeBytes}\n`);
}

/** Unmounts; the loop device goes with the mount, or by hand if a crash left it without one. Idempotent. */
export async function unmountBytes(run: RunCommand, volume: LocalVolume): Promise<void> {
  await unmountBelow(run, volume.directory);
  await detachLoopDevices(run, (file) => file.startsWith(`${volume.directory}/`));
}
