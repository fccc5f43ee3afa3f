// JSON Patch (RFC 6902) with upstream's refusals: at most 10,000 operations, and copies that do not blow the document
// up. The operations themselves are the rfc6902 package's.
import { applyPatch as applyOperations, type Operation } from 'rfc6902';
import { badRequest, requestEntityTooLarge } from '../../api/errors.ts';
import { unprocessable } from './refusal.ts';

const MAX_OPERATIONS = 10_000;
/** Bytes of JSON that the copy operations of one patch may add up to. */
const MAX_COPIED = 3 * 1024 * 1024;
/** Items that one patch may shift: whatever goes into a list or out of it moves all that is behind. */
const MAX_SHIFTED = 20_000_000;
/** Keys that the package passes over, so that an operation would hit something else. */
const UNREACHABLE: readonly string[] = ['__proto__', 'constructor', 'prototype'];
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
  let shifted = 0;
  for (const candidate of patch) {
    const operation = readOperation(candidate);
    if (operation.op === 'copy') {
      copied += sizeAt(document.root, operation.from);
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
  if (from !== undefined && (op === 'move' || op === 'copy')) requireRooted(op, 'from path', String(from));
  requireRooted(op, 'path', path);
  for (const pointer of [path, from]) {
    if (typeof pointer === 'string' && pointer.split('/').some((token) => UNREACHABLE.includes(token))) {
      throw unprocessable(
        `${op} operation does not apply: the path ${JSON.stringify(pointer)} cannot be reached`,
      );
    }
  }
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

function sizeAt(root: unknown, pointer: string): number {
  return JSON.stringify(valueAt(root, pointer))?.length ?? 0;
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
