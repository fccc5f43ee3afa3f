// Waiting for an abort signal. What is aborted, and when, is the caller's.

/** Resolves when the signal is aborted; never rejects. For signals that live no longer than what waits. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
