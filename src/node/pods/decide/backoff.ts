// Back-off of crashing containers and failing pulls: 10 s, doubled up to 5 minutes, forgotten after 10 minutes
// without a crash (client-go util/flowcontrol/backoff.go, as kubelet uses it).
import type { CrashBackoff } from './observation.ts';

export const BACKOFF_INITIAL_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

/**
 * Whether a container that ended at `finishedAtMs` may start again.
 * @returns the time to wait for, or the back-off to remember when it is started now.
 */
export function crashBackoff(
  entry: CrashBackoff | undefined,
  finishedAtMs: number,
  now: number,
): { waitUntilMs: number; delayMs: number } | { next: CrashBackoff } {
  if (entry === undefined || finishedAtMs - entry.updatedAtMs > 2 * BACKOFF_MAX_MS) {
    return { next: { delayMs: BACKOFF_INITIAL_MS, updatedAtMs: now } };
  }
  if (now - finishedAtMs < entry.delayMs) {
    return { waitUntilMs: finishedAtMs + entry.delayMs, delayMs: entry.delayMs };
  }
  return { next: { delayMs: doubled(entry.delayMs), updatedAtMs: now } };
}

/** The next delay of a step that failed again. */
export function doubled(delayMs: number, maxMs: number = BACKOFF_MAX_MS): number {
  return Math.min(delayMs * 2, maxMs);
}

/** A delay as Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const tail = `${Number(seconds.toFixed(3))}s`;
  return hours > 0 ? `${hours}h${minutes}m${tail}` : minutes > 0 ? `${minutes}m${tail}` : tail;
}
