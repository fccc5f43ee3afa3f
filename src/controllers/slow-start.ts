// Runs many steps at once without a stampede when all of them fail: in batches of 1, 2, 4 … 500, none begun after one
// that failed (`slowStartBatch` upstream).

/** Realistic for requests in flight at once. */
const MAX_BATCH = 500;

/** Runs `step` for each item. Throws the first error of a batch when the whole batch has ended. */
export async function slowStart<T>(items: readonly T[], step: (item: T) => Promise<void>): Promise<void> {
  let size = 1;
  for (let done = 0; done < items.length; done += size, size = Math.min(2 * size, MAX_BATCH)) {
    const results = await Promise.allSettled(items.slice(done, done + size).map(step));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
