// Workers on a queue: each takes a key, reconciles it, and lets it come again when it failed or asked for it.
import { isConflict } from '../api/errors.ts';
import type { Log } from '../base/log.ts';
import type { WorkQueue } from './work-queue.ts';

/** When to come again although nothing failed. */
export interface ReconcileResult {
  requeueAfterMs?: number;
}

/** Makes the object of a key as it should be. Level-triggered: it may be called at any time, again and again. */
// biome-ignore lint/suspicious/noConfusingVoidType: most reconcilers return nothing, some when to come again.
export type Reconcile = (key: string, signal: AbortSignal) => Promise<void | ReconcileResult>;

/**
 * Reconciles the queue's keys until the signal; an error is logged and the key retried with back-off, a conflict
 * (the object changed meanwhile) is retried without a word.
 * @param concurrency how many keys at once; one key is never reconciled twice at the same time.
 * @returns a promise that resolves when, after the signal, the last running reconcile has ended.
 */
export async function runWorkers(
  queue: WorkQueue,
  concurrency: number,
  reconcile: Reconcile,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const stop = (): void => queue.shutDown();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const worker = async (): Promise<void> => {
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
      // The key may have been handed over in the turn in which the signal came.
      if (!signal.aborted) await reconcileOne(queue, key, reconcile, log, signal);
      queue.done(key);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  signal.removeEventListener('abort', stop);
}

async function reconcileOne(
  queue: WorkQueue,
  key: string,
  reconcile: Reconcile,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    const result = await reconcile(key, signal);
    queue.forget(key);
    if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
  } catch (error) {
    if (signal.aborted) return;
    queue.addRateLimited(key);
    if (isConflict(error)) log.debug('conflict, trying again', { key });
    else log.error('reconciling failed, trying again', error, { key, failures: queue.failures(key) });
  }
}
