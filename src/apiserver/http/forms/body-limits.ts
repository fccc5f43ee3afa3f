// How much a body may hold beside its bytes: values, and levels of them. Whatever is done with a body afterwards is
// done for each of its values, on the thread that everybody waits for: three megabytes of `[1,1,1,…` are no object, but
// would take seconds.
import { badRequest, requestEntityTooLarge } from '../../../api/errors.ts';

/** As upstream's: a little more than etcd takes twice over. */
export const BODY_LIMIT = 3 * 1024 * 1024;

/**
 * Numbers, texts, maps and lists together: those that an object may have (object-size.ts), and as many again that say
 * who owns them.
 */
export const MAX_VALUES = 30_000;

const MAX_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const OPEN_MAP = 0x7b;

export function tooManyValues(): Error {
  return requestEntityTooLarge(`Request entity too large: limit is ${MAX_VALUES} values`);
}

export function tooDeep(limit: number): Error {
  return badRequest(`the body of the request is nested too deeply: exceeded max depth of ${limit}`);
}

/** Throws RequestEntityTooLarge for a JSON text of too many values, without parsing it. */
export function requireFewValues(json: Uint8Array): void {
  // Two bytes are the least that a value takes.
  if (json.length < 2 * MAX_VALUES) return;
  if (countValues(json, MAX_VALUES) > MAX_VALUES) throw tooManyValues();
}

/**
 * How many values a JSON text has, told without parsing it: every value but the first of its list or map stands behind
 * a comma. Counts no further than just beyond the limit.
 */
export function countValues(json: Uint8Array, limit: number): number {
  let values = 1;
  for (let at = 0; at < json.length && values <= limit; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_MAP) values++;
  }
  return values;
}

function endOfString(json: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Throws BadRequest for a JSON value that is nested too deeply. @returns how many keys its maps have. */
export function requireShallow(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_DEPTH) throw tooDeep(MAX_DEPTH);
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += requireShallow(item, depth + 1);
    return keys;
  }
  // JSON values inherit nothing that counts.
  for (const key in value) keys += 1 + requireShallow(Reflect.get(value, key), depth + 1);
  return keys;
}
