// JSON objects about whose fields nothing has been declared: what a text holds before anybody has looked at it.

export type Struct = Record<string, unknown>;

/** Whether a JSON value is an object (and not a list or null). */
export function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
