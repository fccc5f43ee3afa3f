// A file system in memory at a directory: for emptyDirs that ask for it, and for secrets, which must not reach the
// disk.
import type { RunCommand } from '../../base/machine-command.ts';
import { mountAt, readMounts } from '../machine/mounts.ts';

/** Mounts one if there is none yet. The directory must be there, and its path without symbolic links. */
export async function mountTmpfs(
  run: RunCommand,
  directory: string,
  options: readonly string[],
): Promise<void> {
  if (mountAt(await readMounts(), directory)) return;
  await run('mount', ['-t', 'tmpfs', '-o', ['mode=0777', ...options].join(','), 'tmpfs', directory]);
}
