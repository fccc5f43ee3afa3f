// What server-side apply does with objects seen through the schema: which fields a configuration has, what differs
// between two versions, merging a configuration in, and taking fields out. Follows structured-merge-diff's typed
// package (tofieldset.go, compare.go, merge.go, remove.go).
import { setProperty } from '../../api/schema/set-property.ts';
import { sameJson } from '../../base/same-json.ts';
import { isStruct, type Struct } from '../../base/struct.ts';
import { type FieldSet, FieldSetBuilder } from './field-set.ts';
import { childNode, itemElement, itemNode, type Node } from './typed.ts';

/** The parts of a value by path element: fields of structs and maps, items of lists. */
function partsOf(node: Node, value: unknown): Map<string, { value: unknown; node: Node }> {
  const parts = new Map<string, { value: unknown; node: Node }>();
  if (isStruct(value)) {
    for (const [key, item] of Object.entries(value)) {
      parts.set(`f:${key}`, { value: item, node: childNode(node, key) ?? { kind: 'leaf' } });
    }
  } else if (Array.isArray(value)) {
    for (const item of value) {
      const element = itemElement(node, item);
      if (element !== undefined) parts.set(element, { value: item, node: itemNode(node) });
    }
  }
  return parts;
}

const isEmptyStruct = (value: unknown): boolean => isStruct(value) && Object.keys(value).length === 0;
const isNothing = (value: unknown): boolean => value === undefined || value === null;

/** Whether a value is merged piece by piece (and is of the form that its node says). */
export function isGranular(node: Node, value: unknown): boolean {
  if (node.kind === 'struct' || node.kind === 'map') return isStruct(value);
  return node.kind !== 'leaf' && Array.isArray(value);
}

/** The fields that a configuration names. */
export function fieldsOf(node: Node, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  collect(node, value, builder);
  return builder.build();
}

function collect(node: Node, value: unknown, into: FieldSetBuilder): void {
  const isStructured = node.kind === 'struct';
  for (const [element, part] of partsOf(node, value)) {
    const granular = isGranular(part.node, part.value);
    if (granular) collect(part.node, part.value, into.at(element));
    const named = !isStructured || isNothing(part.value) || isEmptyStruct(part.value);
    if (named || !granular) into.add(element);
  }
}

export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** What differs between two versions of an object. */
export function compare(node: Node, old: unknown, next: unknown): Comparison {
  const added = new FieldSetBuilder();
  const modified = new FieldSetBuilder();
  const removed = new FieldSetBuilder();
  compareParts(node, old, next, { added, modified, removed });
  return { added: added.build(), modified: modified.build(), removed: removed.build() };
}

type Builders = Record<keyof Comparison, FieldSetBuilder>;

const below = (builders: Builders, element: string): Builders => ({
  added: builders.added.at(element),
  modified: builders.modified.at(element),
  removed: builders.removed.at(element),
});

/** Whether a value has nothing in it that could be owned by itself. */
export const isBare = (value: unknown): boolean =>
  isNothing(value) || isEmptyStruct(value) || (Array.isArray(value) && value.length === 0);

function compareParts(node: Node, old: unknown, next: unknown, builders: Builders): void {
  const before = partsOf(node, old);
  const after = partsOf(node, next);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(element);
    const is = after.get(element);
    if (is && !was) {
      builders.added.add(element);
      if (isGranular(is.node, is.value)) addAll(is.node, is.value, builders.added, element);
      continue;
    }
    if (was && is && sameJson(was.value, is.value)) continue;
    const part = is?.node ?? was?.node ?? { kind: 'leaf' };
    const granular = isGranular(part, is?.value ?? was?.value) && !(isBare(was?.value) && isBare(is?.value));
    if (granular) compareParts(part, was?.value, is?.value, below(builders, element));
    if (!is) builders.removed.add(element);
    else if (!granular) builders.modified.add(element);
  }
}

/** Every field of a value that was not there before: what `compareParts` finds, without looking for another side. */
function addAll(node: Node, value: unknown, above: FieldSetBuilder, element: string): void {
  if (isBare(value)) return;
  const into = above.at(element);
  const add = (name: string, part: unknown, partNode: Node | undefined): void => {
    into.add(name);
    if (partNode && isGranular(partNode, part)) addAll(partNode, part, into, name);
  };
  if (Array.isArray(value)) {
    // Of items with the same key the last one counts.
    for (const [name, part] of partsOf(node, value)) add(name, part.value, part.node);
  } else if (isStruct(value)) {
    for (const key of Object.keys(value)) add(`f:${key}`, value[key], childNode(node, key));
  }
}

/** A configuration merged into an object: the configuration wins, what it does not name stays. */
export function merge(node: Node, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (!isGranular(node, config) || !isGranular(node, live)) return config;
  if (isStruct(live) && isStruct(config)) {
    const merged: Struct = { ...live };
    for (const [key, value] of Object.entries(config)) {
      const old = Object.hasOwn(live, key) ? live[key] : undefined;
      setProperty(merged, key, merge(childNode(node, key) ?? { kind: 'leaf' }, old, value));
    }
    return merged;
  }
  return mergeItems(node, live, config);
}

/**
 * The items of both, merged where both have one: those in the configuration's order, the live object's other items where
 * they stand there, before what only the configuration has (structured-merge-diff's `visitListItems`).
 */
function mergeItems(node: Node, live: unknown, config: unknown): unknown[] {
  const old = [...partsOf(node, live)];
  const wanted = partsOf(node, config);
  const oldByKey = new Map(old);
  const shared = [...wanted.keys()].filter((element) => oldByKey.has(element));
  const merged: unknown[] = [];
  let at = 0;
  /** Takes what only the live object has, up to the item that comes next in both. */
  const takeOld = (next: string | undefined): void => {
    for (; at < old.length; at++) {
      const [element, part] = old[at] ?? [];
      if (element === undefined || element === next) return;
      if (!wanted.has(element)) merged.push(part?.value);
    }
  };
  for (const [element, part] of wanted) {
    takeOld(shared[0]);
    merged.push(merge(part.node, oldByKey.get(element)?.value, part.value));
    if (shared[0] === element) {
      shared.shift();
      if (old[at]?.[0] === element) at++;
    }
  }
  takeOld(undefined);
  return merged;
}

/** An object without the fields of a set; what is left empty by that goes too. */
export function remove(node: Node, value: unknown, fields: FieldSet): unknown {
  if (!isGranular(node, value)) return value;
  const kept = [...partsOf(node, value)].flatMap(([element, part]) => {
    if (fields.has(element)) return [];
    const inside = fields.below(element);
    const left = inside.empty ? part.value : remove(part.node, part.value, inside);
    return left === undefined ? [] : [{ element, value: left }];
  });
  if (kept.length === 0) return undefined;
  if (Array.isArray(value)) return kept.map((part) => part.value);
  const result: Struct = {};
  for (const part of kept) setProperty(result, part.element.slice(2), part.value);
  return result;
}

/** The set with every declared field on the way to its members as a member itself. */
export function withNamedFields(node: Node, fields: FieldSet): FieldSet {
  const builder = new FieldSetBuilder();
  const visit = (at: Node, set: FieldSet, into: FieldSetBuilder): void => {
    for (const element of set.members) into.add(element);
    for (const [element, child] of set.children) {
      const isField = element.startsWith('f:');
      const next = isField ? childNode(at, element.slice(2)) : itemNode(at);
      if (isField && at.kind === 'struct' && next) into.add(element);
      visit(next ?? { kind: 'leaf' }, child, into.at(element));
    }
  };
  visit(node, fields, builder);
  return builder.build();
}
