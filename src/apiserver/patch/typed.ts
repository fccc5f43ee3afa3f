// Objects seen through the schema as server-side apply sees them: which structs, maps and lists are merged piece by
// piece and which are one whole, and how the items of a list are told apart. The operations are in typed-operations.ts.
// Follows structured-merge-diff's schema package and typed/helpers.go.

import { CONSTANT_DEFAULTS } from '../../api/schema/facts/constant-defaults.ts';
import { ATOMIC, MAP_LISTS, SET_LISTS } from '../../api/schema/facts/lists.ts';
import { type FieldSchema, typeSchema } from '../../api/schema/schema.ts';
import { isStruct } from './struct.ts';

/** How a value is merged. */
export type Node =
  /** Owned and replaced as a whole: scalars, and whatever is atomic. */
  | { kind: 'leaf' }
  | { kind: 'struct'; type: string }
  | { kind: 'map'; values: Node }
  | { kind: 'set' }
  /** The keys are in alphabetical order. */
  | { kind: 'list'; keys: readonly string[]; itemType: string };

const LEAF: Node = { kind: 'leaf' };

/** Struct types' nodes and those of their fields, put together once per type: writes ask for them all the time. */
const structs = new Map<string, Node>();
const fieldNodes = new Map<string, ReadonlyMap<string, Node>>();

/** The node of an object of a schema type. */
export function typeNode(type: string): Node {
  let node = structs.get(type);
  if (!node) {
    node = { kind: 'struct', type };
    structs.set(type, node);
  }
  return node;
}

function fieldsOfType(type: string): ReadonlyMap<string, Node> {
  let nodes = fieldNodes.get(type);
  if (!nodes) {
    const fields = Object.entries(typeSchema(type).properties);
    nodes = new Map(fields.map(([field, schema]) => [field, nodeOf(`${type}.${field}`, schema)]));
    fieldNodes.set(type, nodes);
  }
  return nodes;
}

function nodeOf(path: string, schema: FieldSchema): Node {
  if (ATOMIC.has(path)) return LEAF;
  switch (schema.type) {
    case 'object':
      return ATOMIC.has(schema.ref) ? LEAF : typeNode(schema.ref);
    case 'map':
      return { kind: 'map', values: nodeOf('', schema.values) };
    case 'array': {
      const keys = MAP_LISTS[path];
      if (keys && schema.items.type === 'object') {
        return { kind: 'list', keys: [...keys].sort(), itemType: schema.items.ref };
      }
      return SET_LISTS.has(path) ? { kind: 'set' } : LEAF;
    }
    default:
      return LEAF;
  }
}

/** The node of a field of a struct, or of a value of a map; undefined for a field that the type does not have. */
export function childNode(node: Node, field: string): Node | undefined {
  if (node.kind === 'map') return node.values;
  if (node.kind !== 'struct') return undefined;
  return fieldsOfType(node.type).get(field);
}

/** The node of a list's items. */
export function itemNode(node: Node): Node {
  return node.kind === 'list' ? typeNode(node.itemType) : LEAF;
}

/** The path element of a list's item; undefined for an item without its keys. */
export function itemElement(node: Node, item: unknown): string | undefined {
  if (node.kind !== 'list') return `v:${JSON.stringify(item)}`;
  if (!isStruct(item)) return undefined;
  const defaults = CONSTANT_DEFAULTS[node.itemType] ?? {};
  const identity: Array<[string, unknown]> = [];
  for (const key of node.keys) {
    const value = item[key] ?? defaults[key];
    if (value === undefined) return undefined;
    identity.push([key, value]);
  }
  return `k:${JSON.stringify(Object.fromEntries(identity))}`;
}
