// Time that passes only when a test says so. Timers fire in order of their time, and everything that follows from
// one (all promises that can settle) happens before the next fires, so that a run replays exactly.
import type { CancelTimer, Clock } from '../base/clock.ts';
import { othersTurn } from '../base/others-turn.ts';

interface Timer {
  atMs: number;
  action(): void;
}

/** How many timers `runUntilIdle` fires before it takes the system for one that never comes to rest. */
const MAX_TIMERS = 1_000_000;

export class VirtualClock implements Clock {
  #nowMs: number;
  /** Sorted by time; those of one time in the order in which they were set. */
  readonly #timers: Timer[] = [];

  /** @param startMs milliseconds since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): CancelTimer {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), action };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.atMs ?? 0) <= timer.atMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets all promises settle that can without time passing. */
  async settle(): Promise<void> {
    // A macrotask runs only when the microtask queue is empty.
    await othersTurn();
  }

  /** Lets `ms` milliseconds pass: fires what falls due, in order, each with all its consequences. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (let timer = this.#timers[0]; timer && timer.atMs <= endMs; timer = this.#timers[0]) {
      await this.#fireFirst(timer);
    }
    this.#nowMs = endMs;
  }

  /**
   * Lets time pass until no timer is set, or until `done` holds.
   * @throws Error when after `limitMs` milliseconds (default: one day) neither is so.
   */
  async runUntilIdle(done?: () => boolean, limitMs = 24 * 3600_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await this.settle();
    for (let fired = 0; fired < MAX_TIMERS; fired++) {
      if (done?.()) return;
      const timer = this.#timers[0];
      if (!timer) {
        if (!done) return;
        throw new Error('virtual time: no timer is set, and what was waited for has not come');
      }
      if (timer.atMs > endMs) break;
      await this.#fireFirst(timer);
    }
    throw new Error(`virtual time: still not at rest after ${this.#nowMs - (endMs - limitMs)} ms`);
  }

  async #fireFirst(timer: Timer): Promise<void> {
    this.#timers.shift();
    this.#nowMs = timer.atMs;
    timer.action();
    await this.settle();
  }
}
