// Which kind of bytes this machine can put behind a claim: a file system of its own in a file, so that the claim's
// size is a limit, or only a directory. Found out by trying.
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunCommand } from '../../../base/machine-command.ts';
import { removeUnmounted } from '../../machine/mounts.ts';
import { VolumeNotReadyError } from '../volumes.ts';

export type BackingKind = 'xfs-image' | 'ext4-image' | 'directory';

export interface VolumeBacking {
  kind: BackingKind;
  /** One sentence for people. */
  why: string;
}

const MIB = 1024 * 1024;
/** With it begin the directories in which a kind of bytes is tried. */
export const TRIAL_PREFIX = '.probe-';
const PROBE_BYTES = 20 * MIB;

/**
 * Makes, mounts and removes a small image of each kind, best first.
 * @param directory where volumes lie.
 * @throws VolumeNotReadyError if the disk is too full to try, which says nothing about what it can do.
 */
export async function probeBacking(run: RunCommand, directory: string): Promise<VolumeBacking> {
  if (process.getuid?.() !== 0)
    return { kind: 'directory', why: 'mounting needs root; sizes are not enforced' };
  await mkdir(directory, { recursive: true });
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < PROBE_BYTES) {
    throw new VolumeNotReadyError('FailedMount', `no space is left below ${directory}; free some`);
  }
  const failures: string[] = [];
  for (const fs of ['xfs', 'ext4'] as const) {
    const failure = await tryImage(run, directory, fs);
    if (failure === undefined) {
      const second = failures.length > 0 ? `; XFS is not possible: ${failures[0]}` : '';
      return {
        kind: `${fs}-image`,
        why: `each claim is an ${fs === 'xfs' ? 'XFS' : 'ext4'} file system of its size${second}`,
      };
    }
    failures.push(failure);
  }
  return { kind: 'directory', why: `sizes are not enforced: ${failures.join('; ')}` };
}

/** Undefined if it works, else why not. */
async function tryImage(run: RunCommand, directory: string, fs: 'xfs' | 'ext4'): Promise<string | undefined> {
  const place = await mkdtemp(join(directory, TRIAL_PREFIX));
  const image = join(place, 'image');
  try {
    await run('truncate', ['--size', String(PROBE_BYTES), image]);
    await makeFileSystem(run, fs, image, PROBE_BYTES);
    await mkdir(join(place, 'mount'));
    await run('mount', ['-t', fs, '-o', 'loop', image, join(place, 'mount')]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(place, 'a trial volume') : String(error);
  } finally {
    await removeUnmounted(run, place).catch(() => rm(image, { force: true }));
  }
}

/** Makes a file system in a file. The file's blocks are kept: they were reserved for it. */
export async function makeFileSystem(
  run: RunCommand,
  fs: 'xfs' | 'ext4',
  image: string,
  bytes: number,
): Promise<void> {
  if (fs === 'ext4') {
    // No blocks are kept for root: the claim's size is the pod's. The journal's size is left to mke2fs.
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'nodiscard', image]);
    return;
  }
  const options = ['-q', '-K'];
  if (bytes >= 300 * MIB) return void (await run('mkfs.xfs', [...options, image]));
  try {
    await run('mkfs.xfs', [...options, '--unsupported', image]);
  } catch (error) {
    // xfsprogs before 5.19 makes small file systems without being told so, and does not know the option.
    if (!(error instanceof Error) || !/unrecognized option|invalid option/.test(error.message)) throw error;
    await run('mkfs.xfs', [...options, image]);
  }
}
