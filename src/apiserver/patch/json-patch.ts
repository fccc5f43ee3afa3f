// JSON Patch (RFC 6902) with upstream's refusals: at most 10,000 operations, and copies that do not blow the document
// up. The operations themselves are the rfc6902 package's.
import { applyPatch as applyOperations, type Operation } from 'rfc6902';
import { badRequest, requestEntityTooLarge } from '../../api/errors.ts';
import { countParts, MAX_PARTS } from '../object-size.ts';
import { unprocessable } from './refusal.ts';

const MAX_OPERATIONS = 10_000;
/**
 * What a pointer may have: nothing that an object holds is deeper, and names are shorter. Whatever is done for a part
 * of it or a character is done again for each operation.
 */
const MAX_POINTER_PARTS = 64;
const MAX_POINTER_CHARACTERS = 4096;
/** Values that the copy operations of one patch may add: more no object may have. */
const MAX_COPIED_VALUES = MAX_PARTS;
/** Bytes of JSON that the copy operations of one patch may add up to. */
const MAX_COPIED = 3 * 1024 * 1024;
/** Items that one patch may shift: whatever goes into a list or out of it moves all that is behind. */
const MAX_SHIFTED = 20_000_000;
/** Keys that the package passes over, so that an operation would hit something else. */
const UNREACHABLE = /\/(?:__proto__|constructor|prototype)(?:\/|$)/;
const OPERATIONS: readonly string[] = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/**
 * Applies a JSON Patch to a copy of `current`. Throws badRequest for what is no JSON Patch, and Invalid (422) when an
 * operation does not apply or a test fails: then nothing of the patch is done.
 */
export function applyJsonPatch(current: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  const document = { root: structuredClone(current) };
  let copied = 0;
  let copiedValues = 0;
  let shifted = 0;
  for (const candidate of patch) {
    const operation = readOperation(candidate);
    if (operation.op === 'copy') {
      const source = valueAt(document.root, operation.from);
      copiedValues += MAX_COPIED_VALUES - countParts(source, MAX_COPIED_VALUES);
      if (copiedValues > MAX_COPIED_VALUES) {
        throw unprocessable(
          `Unable to complete the copy, the accumulated size increase of JSON Patch copy is more than ${MAX_COPIED_VALUES} values`,
        );
      }
      copied += JSON.stringify(source)?.length ?? 0;
      if (copied > MAX_COPIED) {
        throw unprocessable(
          `Unable to complete the copy, the accumulated size increase of JSON Patch copy is ${copied}, exceeding the limit ${MAX_COPIED}`,
        );
      }
    }
    shifted += shiftedBy(document.root, operation);
    if (shifted > MAX_SHIFTED) {
      throw unprocessable(
        'the operations of the JSON patch move too many items of long lists: replace the list as a whole',
      );
    }
    apply(document, operation);
  }
  return document.root;
}

/** At most so many items of lists are moved by an operation. */
function shiftedBy(root: unknown, operation: Operation): number {
  if (operation.op === 'test' || operation.op === 'replace') return 0;
  const pointers = operation.op === 'move' ? [operation.from, operation.path] : [operation.path];
  return pointers.reduce((sum, pointer) => {
    const list = valueAt(root, pointer.slice(0, Math.max(0, pointer.lastIndexOf('/'))));
    return sum + (Array.isArray(list) && !pointer.endsWith('/-') ? list.length : 0);
  }, 0);
}

function readOperation(candidate: unknown): Operation {
  if (typeof candidate !== 'object' || candidate === null) {
    throw badRequest('a JSON patch is a list of operations: {"op", "path", …}');
  }
  const { op, path, from } = candidate as { op?: unknown; path?: unknown; from?: unknown };
  if (typeof op !== 'string' || !OPERATIONS.includes(op)) {
    throw badRequest(
      `Unexpected kind: ${JSON.stringify(op) ?? 'unknown'}: op must be one of ${OPERATIONS.join(', ')}`,
    );
  }
  if (typeof path !== 'string') throw badRequest(`the ${op} operation of a JSON patch needs a path`);
  if ((op === 'move' || op === 'copy') && typeof from !== 'string') {
    throw badRequest(`the ${op} operation of a JSON patch needs a from`);
  }
  // Lengths come first: what is said of a path repeats it.
  for (const pointer of [path, from]) if (typeof pointer === 'string') requireReachable(op, pointer);
  if (from !== undefined && (op === 'move' || op === 'copy')) requireRooted(op, 'from path', String(from));
  requireRooted(op, 'path', path);
  // Null is a value; an operation without one sets null, as upstream reads it.
  const value = 'value' in candidate ? candidate.value : null;
  return { op, path, from, value } as Operation;
}

/** A pointer begins with a slash, unless it is that of the whole document (RFC 6901). */
function requireRooted(op: string, what: string, pointer: string): void {
  if (pointer === '' || pointer.startsWith('/')) return;
  throw unprocessable(
    `${op} operation does not apply: doc is missing ${what}: ${JSON.stringify(pointer)}: missing value`,
  );
}

function requireReachable(op: string, pointer: string): void {
  if (pointer.length > MAX_POINTER_CHARACTERS || hasManyParts(pointer)) {
    const start = JSON.stringify(`${pointer.slice(0, 64)}…`);
    throw unprocessable(
      `${op} operation does not apply: the path ${start} is longer than ${MAX_POINTER_PARTS} parts or ${MAX_POINTER_CHARACTERS} characters`,
    );
  }
  if (UNREACHABLE.test(pointer)) {
    throw unprocessable(
      `${op} operation does not apply: the path ${JSON.stringify(pointer)} cannot be reached`,
    );
  }
}

function hasManyParts(pointer: string): boolean {
  let parts = 0;
  for (let at = pointer.indexOf('/'); at >= 0; at = pointer.indexOf('/', at + 1)) parts++;
  return parts > MAX_POINTER_PARTS;
}

/** The whole document is replaced by operations on the empty path, which the package leaves to its caller. */
function apply(document: { root: unknown }, operation: Operation): void {
  const inside = (path: string): string => `/root${path}`;
  const moved =
    operation.op === 'move' || operation.op === 'copy'
      ? { ...operation, from: inside(operation.from), path: inside(operation.path) }
      : { ...operation, path: inside(operation.path) };
  let failure: Error | null;
  try {
    failure = applyOperations(document, [moved])[0] ?? null;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  if (!failure) return;
  const path = JSON.stringify(operation.path);
  if (operation.op === 'test') throw unprocessable(`testing path ${path} value failed: test failed`);
  throw unprocessable(
    `${operation.op} operation does not apply: doc is missing path: ${path}: missing value`,
  );
}

/** What a pointer leads to; undefined where there is nothing. */
function valueAt(root: unknown, pointer: string): unknown {
  let value: unknown = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
