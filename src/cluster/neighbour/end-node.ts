// Ends the node process of a data directory that nobody can ask to end: who it is, the kernel's lock says.
import { type Clock, sleep } from '../../base/clock.ts';
import { LockedError, lockFile } from '../../store/file-lock.ts';
import type { Paths } from '../disk/paths.ts';

const POLL_MS = 10;
/** How long the kernel may take over a process that is killed. */
const PATIENCE_MS = 60_000;

/** Resolves when none runs; containers go on. Idempotent. Throws if it does not go. */
export async function killNode(paths: Pick<Paths, 'nodeLock'>, clock: Clock): Promise<void> {
  for (const giveUpAtMs = clock.now() + PATIENCE_MS; ; ) {
    try {
      (await lockFile(paths.nodeLock)).release();
      return;
    } catch (error) {
      if (!(error instanceof LockedError) || clock.now() > giveUpAtMs) throw error;
      if (error.pid !== undefined) kill(error.pid);
    }
    await sleep(clock, POLL_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
