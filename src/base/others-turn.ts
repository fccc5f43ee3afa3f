// Work that is long gives way: a process has one thread, and what waits for it must not wait for all of it.

/** Resolves when everything else that is due has had its turn: timers, connections, answers. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
