// A process of the simulated cluster that can be killed at any instruction: from then on none of its timers fires and
// none of its calls does anything or returns. What it had asked of others before (the API, a runtime) may still happen.
import { setMaxListeners } from 'node:events';
import type { CancelTimer, Clock } from '../../base/clock.ts';

export class Process {
  readonly name: string;
  /** Time as the process sees it. */
  readonly clock: Clock;
  readonly #end = new AbortController();
  readonly #timers = new Set<CancelTimer>();
  #dead = false;
  /** After so many more calls it dies; in the middle of one, if it is a half. */
  #callsLeft = Number.POSITIVE_INFINITY;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.clock = { now: () => clock.now(), after: (delayMs, action) => this.#after(clock, delayMs, action) };
    setMaxListeners(0, this.#end.signal);
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  #after(clock: Clock, delayMs: number, action: () => void): CancelTimer {
    if (this.#dead) return () => {};
    const cancel = clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  /** Like kill -9: nothing is flushed, nothing is tidied up. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    // Only so that the API server forgets its watches: whatever the process does now comes to nothing.
    this.#end.abort();
  }

  /** Lets it die by itself within its next calls: `calls` whole ones, and with a half more one that is never answered. */
  killAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  /** Around a call to the outside: of a dead process it never begins, of one that dies it never returns. */
  async call<T>(action: () => Promise<T>): Promise<T> {
    if (this.#callsLeft <= 0) this.kill();
    if (this.#dead) return new Promise(() => {});
    this.#callsLeft -= 1;
    const result = await action().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (this.#callsLeft < 0) this.kill();
    if (this.#dead) return new Promise(() => {});
    if ('error' in result) throw result.error;
    return result.value;
  }
}
