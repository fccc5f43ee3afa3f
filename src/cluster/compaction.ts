// Forgets old revisions of the store, as Kubernetes' API server does for etcd: what is older than five minutes can no
// longer be listed at or watched from, and clients that ask for it list afresh.
import { type Clock, sleep } from '../api/clock.ts';
import type { Log } from '../api/log.ts';
import type { Store } from '../store/store.ts';

const INTERVAL_MS = 5 * 60_000;

/** Runs until the signal: every interval it compacts to where the store was one interval before. */
export async function runCompaction(
  store: Store,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let previous = store.revision();
  for (;;) {
    await sleep(clock, INTERVAL_MS, signal);
    if (signal.aborted) return;
    const current = store.revision();
    try {
      if (previous > 0) await store.compact(previous);
    } catch (error) {
      log.error('old revisions could not be forgotten', error, { revision: previous });
    }
    previous = current;
  }
}
