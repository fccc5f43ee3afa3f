// Whose stead it is: one of another user has its sockets elsewhere, and looks from here as if it did not run.
import { stat } from 'node:fs/promises';
import type { Paths } from '../disk/paths.ts';
import { UserError } from './user-error.ts';

/**
 * To be asked where nobody listens, before that is taken for a stead that does not run.
 * @throws UserError if the data directory is another user's: only they can be told whether it runs.
 */
export async function refuseOtherUsers(paths: Paths): Promise<void> {
  const me = process.getuid?.() ?? 0;
  const owner = await ownerOf(paths.layout);
  if (owner === undefined || owner === me) return;
  const whose = owner === 'hidden' ? 'may not be looked into' : `is that of another user (uid ${owner})`;
  throw new UserError(
    `The data directory ${paths.data} ${whose}: become ${me === 0 ? 'that user' : 'its user, or root,'} to ask for its stead.`,
  );
}

/** Undefined if there is no such file. */
async function ownerOf(file: string): Promise<number | 'hidden' | undefined> {
  try {
    return (await stat(file)).uid;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EACCES' || code === 'EPERM' ? 'hidden' : undefined;
  }
}
