// The end of a switch over a union. Where a member of the union has no case, it does not compile.

/** Throws: what cannot be has come, from outside the types. @param value of the union, of which no member is left. */
export function assertNever(value: never): never {
  throw new Error(`nobody knows what to do with ${JSON.stringify(value)}: a case is missing`);
}
