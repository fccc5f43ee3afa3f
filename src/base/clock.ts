// Time and chance as values that are handed in. No room reads the machine's clock, sets a timer or rolls dice by
// itself: the simulator runs the whole system on virtual time from a seed.

/** Ends a timer that has not fired yet; afterwards it does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `action` once, `delayMs` milliseconds from now (not before the current call returns). */
  after(delayMs: number, action: () => void): CancelTimer;
}

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A random (version 4) UUID. */
  uuid(): string;
}

/**
 * Waits on a clock.
 * @param delayMs milliseconds.
 * @param signal ends the wait early: the promise then resolves at once; it never rejects.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    const onAbort = (): void => {
      cancel();
      finish();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A clock's time as `metav1.Time` is written: whole seconds, UTC (`2026-11-22T07:45:00Z`). */
export function timestamp(timeMs: number): string {
  const second = Math.floor(timeMs / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** Of a burst of writes, most happen within one second. */
let lastSecond = Number.NaN;
let lastText = '';

/** A clock's time as `metav1.MicroTime` is written: microseconds, UTC (`2026-11-22T07:45:00.123000Z`). */
export function microTimestamp(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 23)}000Z`;
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A random suffix as `generateName` uses it: no vowels and no look-alikes, so that it spells nothing. */
export function randomSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++) {
    suffix += SUFFIX_ALPHABET[Math.floor(random.next() * SUFFIX_ALPHABET.length)];
  }
  return suffix;
}
