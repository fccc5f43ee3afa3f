// Forgets old revisions of the store, as Kubernetes' API server does for etcd: what is older than five minutes can no
// longer be listed at or watched from, and clients that ask for it list afresh.
import { type Clock, sleep } from '../api/clock.ts';
import type { Log } from '../api/log.ts';
import type { Store } from '../store/store.ts';

/** A minute at a time: what is to be forgotten takes room until then. */
const INTERVAL_MS = 60_000;
const KEPT_INTERVALS = 5;

/** Runs until the signal: every minute it compacts to where the store was five minutes before. */
export async function runCompaction(
  store: Store,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  /** Where the store was at the beginning of each interval that is kept. */
  const marks = [store.revision()];
  for (;;) {
    await sleep(clock, INTERVAL_MS, signal);
    if (signal.aborted) return;
    marks.push(store.revision());
    const revision = marks.length > KEPT_INTERVALS ? (marks.shift() ?? 0) : 0;
    try {
      if (revision > 0) await store.compact(revision);
    } catch (error) {
      log.error('old revisions could not be forgotten', error, { revision });
    }
  }
}
