// Lists in a strategic merge patch: merging by key, deleting and replacing items by directive, and the order of the
// result: what the patch orders as the patch orders it, the rest where it stood. Follows mergeSlice,
// normalizeElementOrder and mergeSortedSlice of apimachinery pkg/util/strategicpatch/patch.go.
import { badRequest } from '../../api/errors.ts';
import { isStruct, type Struct } from '../../base/struct.ts';

/** The key of a directive about the object that it stands in. */
export const DIRECTIVE = '$patch';

/** What tells an item apart: the value of its merge key, or the scalar itself. */
function identityOf(item: unknown, mergeKey: string | undefined): unknown {
  if (mergeKey === undefined) return item;
  if (!isStruct(item))
    throw badRequest(`expected a map with the merge key ${mergeKey}, but received ${JSON.stringify(item)}`);
  const identity = item[mergeKey];
  if (identity === undefined) {
    throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return identity;
}

function requireItems(lists: readonly (readonly unknown[])[], mergeKey: string | undefined): void {
  for (const item of lists.flat()) {
    if (Array.isArray(item)) throw badRequest('lists of lists are not supported');
    if (isStruct(item) !== (mergeKey !== undefined)) {
      throw badRequest(
        mergeKey === undefined
          ? 'cannot merge lists without merge key'
          : 'list element types are not identical: a map was expected',
      );
    }
  }
}

/**
 * Merges a patch's list into the current one.
 * @param mergeKey the field that tells items apart; none for scalars.
 * @param mergeItem merges a patch's item into the current one with the same key.
 */
export function mergeList(
  current: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string | undefined,
  mergeItem: (current: Struct, patch: Struct) => Struct,
): unknown[] {
  requireItems([current, patch], mergeKey);
  if (mergeKey === undefined) {
    return inOrder([...new Set([...current, ...patch])], patch, current, undefined);
  }
  const directives = patch.filter((item): item is Struct => isStruct(item) && item[DIRECTIVE] !== undefined);
  const plain = patch.filter((item): item is Struct => isStruct(item) && item[DIRECTIVE] === undefined);
  const remaining = applyDirectives(current, directives, mergeKey);
  // What stands for the whole list is taken as it is, also with several items of one key, as a node's addresses have it.
  if (remaining === 'none') return plain;
  const merged = [...remaining];
  const places = firstPlaces(merged, mergeKey);
  for (const item of plain) {
    const identity = identityOf(item, mergeKey);
    const at = places.get(identity) ?? merged.length;
    const old = merged[at];
    merged[at] = isStruct(old) ? mergeItem(old, item) : item;
    places.set(identity, at);
  }
  return inOrder(merged, plain, remaining, mergeKey);
}

/** Where each item stands, the first of those with the same identity. */
function firstPlaces(list: readonly unknown[], mergeKey: string | undefined): Map<unknown, number> {
  const found = new Map<unknown, number>();
  list.forEach((item, index) => {
    const identity = identityOf(item, mergeKey);
    if (!found.has(identity)) found.set(identity, index);
  });
  return found;
}

/** What is left of a list after items `{$patch: delete, <key>}`; none of it where the patch's list is in its place (`{$patch: replace}`). */
function applyDirectives(
  current: readonly unknown[],
  directives: readonly Struct[],
  mergeKey: string,
): readonly unknown[] | 'none' {
  const deleted = new Set<unknown>();
  let replaces = false;
  for (const item of directives) {
    switch (item[DIRECTIVE]) {
      case 'replace':
        replaces = true;
        break;
      case 'delete':
        deleted.add(identityOf(item, mergeKey));
        break;
      case 'merge':
        throw badRequest('merging lists cannot yet be specified in the patch');
      default:
        throw badRequest(`unknown patch type: ${String(item[DIRECTIVE])} in map: ${JSON.stringify(item)}`);
    }
  }
  if (replaces) return 'none';
  return deleted.size === 0 ? current : current.filter((old) => !deleted.has(identityOf(old, mergeKey)));
}

/**
 * Orders a merged list: the items of `order` among themselves as there, the others as in `current`, and both woven
 * together so that what was before something else stays before it where it can.
 */
function inOrder(
  merged: readonly unknown[],
  order: readonly unknown[],
  current: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const wanted = firstPlaces(order, mergeKey);
  const stood = firstPlaces(current, mergeKey);
  const at = (found: Map<unknown, number>, item: unknown): number =>
    found.get(identityOf(item, mergeKey)) ?? -1;
  const patched = merged
    .filter((item) => at(wanted, item) >= 0)
    .sort((a, b) => at(wanted, a) - at(wanted, b));
  const others = merged.filter((item) => at(wanted, item) < 0).sort((a, b) => at(stood, a) - at(stood, b));

  const result: unknown[] = [];
  let next = 0;
  for (const item of patched) {
    const place = at(stood, item);
    while (next < others.length && place >= 0) {
      const other = at(stood, others[next]);
      if (other < 0 || other >= place) break;
      result.push(others[next++]);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** Puts a list in the order of a $setElementOrder directive; `current` is the list as it was. */
export function orderBySetElementOrder(
  list: readonly unknown[],
  order: readonly unknown[],
  current: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  requireItems([list, order], mergeKey);
  return inOrder(list, order, current, mergeKey);
}

/** Throws unless the items that a patch adds or changes are all in the order list, in that order. */
export function validateOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  const items = patch.filter((item) => !isStruct(item) || item[DIRECTIVE] === undefined);
  if (order.length === 0 || items.length === 0) return;
  let next = 0;
  for (const item of order) {
    if (next >= items.length) break;
    if (identityOf(items[next], mergeKey) === identityOf(item, mergeKey)) next++;
  }
  if (next < items.length) {
    throw badRequest(
      `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    );
  }
}
