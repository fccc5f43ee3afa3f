// What is to run as long as stead does, and begins again when it has ended by a failure: it looks at the world as it
// is, so beginning again is always right.
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

const FIRST_MS = 1000;
const MAX_MS = 60_000;

/** Runs `task` until the signal; after a failure again, at first after a second. Never rejects. */
export async function keepRunning(
  task: () => Promise<void>,
  name: string,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  for (let delayMs = FIRST_MS; !signal.aborted; delayMs = Math.min(2 * delayMs, MAX_MS)) {
    try {
      await task();
      return;
    } catch (error) {
      log.error(`the ${name} controller has ended; starting it again`, error, { afterMs: delayMs });
    }
    await sleep(clock, delayMs, signal);
  }
}
