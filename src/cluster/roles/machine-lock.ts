// What is done to the machine's network, and what is chosen of it, is done by one stead at a time: all steads of the machine
// share a lock, in the directory above their run directories.
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockedError, lockFile } from '../../store/file-lock.ts';
import type { Paths } from '../disk/paths.ts';
import { UserError } from '../process/user-error.ts';

/** How long another stead may take over the machine's network, in seconds. */
const PATIENCE_SECONDS = 30;

/**
 * Runs `work` while no other stead changes the machine's network.
 * @throws UserError if another does so for too long.
 */
export async function alone<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  const directory = dirname(paths.run);
  await mkdir(directory, { recursive: true });
  const lock = await lockFile(join(directory, 'network.lock'), PATIENCE_SECONDS).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new UserError(
      `Another stead${error.pid ? ` (pid ${error.pid})` : ''} has been changing this machine’s network for ${PATIENCE_SECONDS} seconds: see what it does, and try again.`,
    );
  });
  try {
    return await work();
  } finally {
    lock.release();
    await rmdir(directory).catch(() => {});
  }
}
