// Takes the disk space of a volume when it is made or grown, so that a claim's size is a promise: writing below it
// never fails because the machine's disk has filled up meanwhile.
import { open, stat, statfs, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError, type RunCommand } from '../../../base/machine-command.ts';
import { VolumeNotReadyError } from '../volumes.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** What stays free for the machine itself: a twentieth of the disk, at most 1 GiB. */
function keptFree(totalBytes: number): number {
  return Math.min(totalBytes / 20, GIB);
}

/**
 * Makes a file `bytes` long with all its blocks reserved. On a file system that cannot reserve (NFS, ZFS) the file
 * is sparse.
 * @throws VolumeNotReadyError if the disk has no room; the file is then as it was.
 */
export async function reserve(run: RunCommand, name: string, file: string, bytes: number): Promise<void> {
  await (await open(file, 'a', 0o600)).close();
  const before = await stat(file);
  const disk = await statfs(dirname(file));
  const needed = Math.max(0, bytes - before.blocks * 512);
  const free = disk.bavail * disk.bsize;
  const kept = keptFree(disk.blocks * disk.bsize);
  if (free - needed < kept) {
    throw new VolumeNotReadyError(
      'FailedMount',
      `not enough disk space for volume "${name}": it needs ${mib(needed)} below ${dirname(dirname(file))}, ${mib(free)} are free, of which ${mib(kept)} are kept for the machine; free some space or ask for a smaller volume`,
    );
  }
  try {
    await run('fallocate', ['--length', String(bytes), file]);
  } catch (error) {
    if (!(error instanceof CommandError) || !/not supported/i.test(error.message)) {
      await truncate(file, before.size);
      throw error;
    }
    await truncate(file, bytes);
  }
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / MIB)}Mi`;
}
