// subPath: one path inside a volume, mounted at a place of stead's own, which the runtime then mounts into the
// container. Pods write into volumes and could swap a directory for a link to `/` between a check and the mount; so
// what is mounted is the file that was opened, not a path (kubelet's pkg/volume/util/subpath/subpath_linux.go).
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunCommand } from '../../base/machine-command.ts';
import { mountAt, readMounts } from '../machine/mounts.ts';
import { openInside } from '../machine/open-inside.ts';
import type { ReadyVolume } from './volumes.ts';

/**
 * Mounts a path inside a volume, a directory or a file. A directory that is missing is made, with the volume's mode
 * and group, unless the volume is read-only.
 * @param target where: an absolute path without symbolic links that no pod can reach. What another container start
 *   has left there goes, if it is another file by now.
 * @throws NotInsideError if the path leads out of the volume; CommandError if it cannot be mounted.
 */
export async function bindSubPath(
  run: RunCommand,
  volume: ReadyVolume,
  subPath: string,
  target: string,
): Promise<void> {
  const source = await openInside(volume.hostPath, subPath, { make: !volume.readOnly });
  try {
    await bind(run, source, target);
  } finally {
    await source.close();
  }
}

async function bind(run: RunCommand, source: FileHandle, target: string): Promise<void> {
  const wanted = await source.stat();
  while (mountAt(await readMounts(), target)) {
    if (isSame(await stat(target), wanted)) return;
    await run('umount', [target]);
  }
  await makeTarget(target, wanted);
  // The descriptor is mount's own number 3; what it stands for is fixed, whatever happens to its name.
  const args = ['--bind', '--no-canonicalize', '/proc/self/fd/3', target];
  await run('mount', args, { openFiles: [source.fd] });
  if (isSame(await stat(target), wanted)) return;
  await run('umount', [target]);
  throw new Error(`${target} does not show what was opened`);
}

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

/** A directory to mount a directory on, a file for anything else. */
async function makeTarget(target: string, like: Stats): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o711 });
  const found = await lstat(target).catch(() => undefined);
  if (found && found.isDirectory() === like.isDirectory()) return;
  if (found) await (found.isDirectory() ? rmdir(target) : unlink(target));
  if (like.isDirectory()) await mkdir(target, { mode: 0o711 });
  else await (await open(target, 'wx', 0o644)).close();
}
