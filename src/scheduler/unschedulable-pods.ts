// The pods that no node would take, and when each may be tried again. A change in the cluster brings them back, while
// there is other work none sooner than its own back-off allows: a stream of changes is no stream of attempts.
import type { NamespacedName } from '../api/objects.ts';
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { KeyQueue } from '../client/controller.ts';

/** Upstream's podInitialBackoff and podMaxBackoff. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10_000;
/** Everything is tried again after this long, in case a change was not recognised as one that helps. */
export const FLUSH_MS = 5 * 60_000;
/** Of those in back-off so many are tried at once after a change when nothing else waits (upstream's PopFromBackoffQ). */
const EARLY_TRIES = 100;
/** Changes that come together are one change. */
const COALESCE_MS = 20;

interface Waiter {
  attempts: number;
  notBeforeMs: number;
  onClaims: boolean;
}

export class UnschedulablePods {
  readonly #clock: Clock;
  readonly #queue: KeyQueue<NamespacedName>;
  readonly #waiters = new Map<NamespacedName, Waiter>();
  #cancelRetry: CancelTimer | undefined;

  constructor(clock: Clock, queue: KeyQueue<NamespacedName>) {
    this.#clock = clock;
    this.#queue = queue;
  }

  /** No node takes the pod now. @param onClaims because of its claims alone: nodes cannot change that. */
  add(key: NamespacedName, onClaims: boolean): void {
    const attempts = (this.#waiters.get(key)?.attempts ?? 0) + 1;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(attempts - 1, 10), MAX_BACKOFF_MS);
    this.#waiters.set(key, { attempts, notBeforeMs: this.#clock.now() + backoffMs, onClaims });
    this.#queue.addAfter(key, FLUSH_MS);
  }

  /** It was placed, or is no longer ours. */
  remove(key: NamespacedName): void {
    this.#waiters.delete(key);
  }

  /** Something changed for this pod alone (the pod itself, its claim): it is tried at once. */
  retry(key: NamespacedName): void {
    this.#queue.add(key);
  }

  /** Nodes, or what is free on them, changed: those that wait for that are tried, at the latest after their back-off. */
  retryAll(): undefined {
    if (this.#waiters.size === 0) return;
    this.#cancelRetry ??= this.#clock.after(COALESCE_MS, () => {
      this.#cancelRetry = undefined;
      const now = this.#clock.now();
      let early = this.#queue.length === 0 ? EARLY_TRIES : 0;
      for (const [key, waiter] of this.#waiters) {
        if (waiter.onClaims) continue;
        if (waiter.notBeforeMs > now && early-- > 0) this.#queue.add(key);
        else this.#queue.addAfter(key, waiter.notBeforeMs - now);
      }
    });
  }

  /** Ends its timer. */
  stop(): void {
    this.#cancelRetry?.();
  }
}
