// Ends what nothing moves on any more.
import type { CancelTimer, Clock } from '../../base/clock.ts';

/** Calls `onIdle` once when `touch` has not been called for that long; never after `stop`. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #lastMs: number;
  #cancel: CancelTimer;

  constructor(clock: Clock, idleMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#lastMs = clock.now();
    this.#cancel = clock.after(idleMs, () => this.#check());
  }

  touch(): void {
    this.#lastMs = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #check(): void {
    const leftMs = this.#lastMs + this.#idleMs - this.#clock.now();
    if (leftMs <= 0) this.#onIdle();
    else this.#cancel = this.#clock.after(leftMs, () => this.#check());
  }
}
