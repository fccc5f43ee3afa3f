// The lock of a store's directory. LMDB itself lets several processes write to one file in turn; stead's store is of one
// process, which decides every write against what it alone has written.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FileLock, LockedError, lockFile } from '../file-lock.ts';
import { StoreInUseError } from '../store.ts';

/**
 * Locks the directory, which is made if it is not there.
 * @throws StoreInUseError if it is locked; Error if it cannot be made.
 */
export async function lockStore(directory: string): Promise<FileLock> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return await lockFile(join(directory, 'process.lock'));
  } catch (error) {
    if (error instanceof LockedError) throw new StoreInUseError(directory, error.pid);
    throw error;
  }
}
