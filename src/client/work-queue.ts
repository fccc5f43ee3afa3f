// A queue of keys with client-go's semantics (util/workqueue): a key waits at most once, is worked on by one
// worker at a time, and, if added while it is worked on, comes again afterwards. Its length is bounded by the
// number of different keys, that is, of objects. Time is the clock's alone.
import type { CancelTimer, Clock } from '../api/clock.ts';

const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 5 * 60_000;

export class WorkQueue {
  readonly #clock: Clock;
  /** What waits, in order. */
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  /** Added while they are worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { atMs: number; cancel: CancelTimer }>();
  readonly #failures = new Map<string, number>();
  readonly #idle: ((key: string | undefined) => void)[] = [];
  #shutDown = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many keys wait for a worker; those being worked on or delayed do not count. */
  get length(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    const worker = this.#idle.shift();
    if (worker) {
      this.#processing.add(key);
      worker(key);
    } else this.#waiting.add(key);
  }

  /** Adds the key `delayMs` milliseconds from now; of several delays of one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.now() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier && earlier.atMs <= atMs) return;
    earlier?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, cancel });
  }

  /** Adds the key after a delay that doubles with every failure: 5 ms to 5 minutes. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 30), MAX_RETRY_MS));
  }

  /** How often the key was added with a rate limit since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key went well: its next failure starts from the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which is then worked on until `done`; undefined once the queue has been shut down. */
  next(): Promise<string | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      this.#processing.add(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Nothing is taken in or handed out any more; timers end; workers that wait get undefined. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const worker of this.#idle.splice(0)) worker(undefined);
  }
}
