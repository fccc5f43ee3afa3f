// Freezing: what the server keeps is shared by all who read it.

/** Freezes a JSON value through and through; stops where something is already frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  // Of the ways to go through an object this makes no array of its values; JSON values inherit nothing that counts.
  for (const key in value) deepFreeze(value[key]);
  return value;
}
