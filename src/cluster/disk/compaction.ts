// Forgets old revisions of the store, as Kubernetes' API server does for etcd: what is older than five minutes, or sooner
// when very much is written, can no longer be listed at or watched from, and clients that ask for it list afresh.
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';

/** A minute at a time: what is to be forgotten takes room until then. */
const INTERVAL_MS = 60_000;
const KEPT_INTERVALS = 5;
/** Of a busy store no more than so many revisions are kept, and the last minute: five minutes would be the most of its file. */
const KEPT_REVISIONS = 10_000;

/**
 * Runs until the signal: every minute it compacts to where the store was five minutes before, or to the newest revisions
 * that are kept of a busy one.
 */
export async function runCompaction(
  store: Store,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  /** Where the store was at the beginning of each interval that is kept. */
  const marks: number[] = [];
  while (!signal.aborted) {
    try {
      const newest = await store.revision();
      const aMinuteAgo = marks.at(-1) ?? 0;
      marks.push(newest);
      const fiveMinutesAgo = marks.length > KEPT_INTERVALS ? (marks.shift() ?? 0) : 0;
      const revision = Math.max(fiveMinutesAgo, Math.min(aMinuteAgo, newest - KEPT_REVISIONS));
      if (revision > 0) await store.compact(revision);
    } catch (error) {
      log.error('old revisions could not be forgotten', error);
    }
    await sleep(clock, INTERVAL_MS, signal);
  }
}
