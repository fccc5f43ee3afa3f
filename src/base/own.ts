// Looking things up by names that clients choose: `constructor` and `__proto__` are names like any other, and every plain
// object answers to them.

/** What a table holds under a key by itself; undefined for what it only inherits. */
export function own<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}
