// Work on many things, each by itself: what fails for one, or takes long, keeps no other from its turn.

/**
 * Does `work` for every item, at most `limit` at a time. Never rejects.
 * @param failed told of each failure; it must not throw.
 */
export async function eachByItself<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
  failed: (error: unknown, item: T) => void,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed(error, next.value);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/**
 * The same, for work that has to be known to be done: when every item has had its turn, the first failure is thrown.
 */
export async function eachOrThrow<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  await eachByItself(items, limit, work, (error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
