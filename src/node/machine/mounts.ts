// What is mounted on this machine, and how to take it down. Read from the kernel each time: mounts outlive stead.
import { readFile } from 'node:fs/promises';
import { eachOrThrow } from '../../base/each-by-itself.ts';
import type { RunCommand } from '../../base/machine-command.ts';

export interface Mount {
  mountPoint: string;
  fsType: string;
  /** `/dev/loop3`, `tmpfs`, … */
  source: string;
}

/** Reads the format of proc(5) `/proc/[pid]/mountinfo`. Mounts are in the order in which they were made. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [place, origin] = line.split(' - ');
    const mountPoint = place?.split(' ')[4];
    const [fsType, source] = origin?.split(' ') ?? [];
    if (!mountPoint || !fsType) continue;
    mounts.push({ mountPoint: decodeField(mountPoint), fsType, source: decodeField(source ?? '') });
  }
  return mounts;
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on. */
function decodeField(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

export async function readMounts(): Promise<Mount[]> {
  return parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** What one sees at `path`, if it is a mount point: of several on top of each other, the last. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts.findLast((mount) => mount.mountPoint === path);
}

/** Mounts at or below a directory, in the order in which they can be taken down. */
export function mountsBelow(mounts: readonly Mount[], directory: string): Mount[] {
  return mounts
    .filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(`${directory}/`))
    .reverse();
}

/**
 * Unmounts everything at and below a directory (an absolute path without symbolic links).
 * @throws CommandError if something is in use; nothing is then left half done that a second call does not finish.
 */
export async function unmountBelow(run: RunCommand, directory: string): Promise<void> {
  // One after another: what lies within another mount comes first.
  await eachOrThrow(mountsBelow(await readMounts(), directory), 1, ({ mountPoint }) =>
    run('umount', [mountPoint]),
  );
}

/**
 * Removes a directory and all in it, once nothing is mounted there: a mount that is left is an error, never a way
 * into other file systems.
 */
export async function removeUnmounted(run: RunCommand, directory: string): Promise<void> {
  await unmountBelow(run, directory);
  const [left] = mountsBelow(await readMounts(), directory);
  if (left) throw new Error(`${left.mountPoint} is still mounted`);
  await run('rm', ['-rf', '--one-file-system', '--', directory]);
}
