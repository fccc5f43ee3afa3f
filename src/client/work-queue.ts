// A queue of keys with client-go's semantics (util/workqueue): a key waits at most once, is worked on by one
// worker at a time, and, if added while it is worked on, comes again afterwards. Its length is bounded by the
// number of different keys, that is, of objects. Time is the clock's alone.
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { QueueObserver } from './queue-metrics.ts';

const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 5 * 60_000;

export class WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver | undefined;
  /** What waits, in order. */
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  /** Added while they are worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { atMs: number; cancel: CancelTimer }>();
  readonly #failures = new Map<string, number>();
  readonly #idle: ((key: string | undefined) => void)[] = [];
  #shutDown = false;

  /** @param observer is told what happens, for metrics. */
  constructor(clock: Clock, observer?: QueueObserver) {
    this.#clock = clock;
    this.#observer = observer;
    observer?.begins(() => this.#waiting.size);
  }

  /** How many keys wait for a worker; those being worked on or delayed do not count. */
  get length(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      if (this.#again.has(key)) return;
      this.#again.add(key);
      this.#observer?.added(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#observer?.added(key);
    this.#enqueue(key);
  }

  #enqueue(key: string): void {
    const worker = this.#idle.shift();
    if (worker) {
      this.#take(key);
      worker(key);
    } else this.#waiting.add(key);
  }

  #take(key: string): void {
    this.#processing.add(key);
    this.#observer?.taken(key);
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
    this.#observer?.retried();
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
      this.#take(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  done(key: string): void {
    this.#processing.delete(key);
    this.#observer?.done(key);
    if (this.#again.delete(key) && !this.#shutDown) this.#enqueue(key);
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
