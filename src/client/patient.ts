// A client for who goes on working while the API is away: a request that nobody listens to waits until somebody does,
// and is made then. What has been sent and not answered fails as ever: nobody knows what became of it.
import type { Clock } from '../base/clock.ts';
import type { Client } from './client.ts';
import { UnreachableError } from './unreachable-error.ts';

const FIRST_MS = 50;
const LONGEST_MS = 2_000;

/** Tells those who wait that the API may be back. */
export class Return {
  #waiting = new Set<() => void>();

  announce(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves with the announcement, after a time, or with the signal. */
  wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = clock.after(delayMs, wake);
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}

/** @param signal ends the waiting: the request then fails as it did last. */
export function patientClient(client: Client, clock: Clock, back: Return, signal: AbortSignal): Client {
  const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let delayMs = FIRST_MS; ; delayMs = Math.min(2 * delayMs, LONGEST_MS)) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof UnreachableError && error.isRefused) || signal.aborted) throw error;
      }
      await back.wait(clock, delayMs, signal);
    }
  };
  return {
    discover: () => asking(() => client.discover()),
    get: (...args) => asking(() => client.get(...args)),
    list: (...args) => asking(() => client.list(...args)),
    watch: (...args) => asking(() => client.watch(...args)),
    create: (...args) => asking(() => client.create(...args)),
    createSubresource: (...args) => asking(() => client.createSubresource(...args)),
    update: (...args) => asking(() => client.update(...args)),
    patch: (...args) => asking(() => client.patch(...args)),
    delete: (...args) => asking(() => client.delete(...args)),
  };
}
