// Objects seen through the schema as server-side apply sees them: which structs, maps and lists are merged piece by
// piece and which are one whole, and how the items of a list are told apart. The operations are in typed-operations.ts.
// Follows structured-merge-diff's schema package and typed/helpers.go.

import { type FieldSchema, perType, type StructType } from '../../api/schema/schema.ts';
import { isStruct } from '../../base/struct.ts';

/** How a value is merged. */
export type Node =
  /** Owned and replaced as a whole: scalars, and whatever is atomic. */
  | { kind: 'leaf' }
  | { kind: 'struct'; fields(): ReadonlyMap<string, Node> }
  | { kind: 'map'; values: Node }
  | { kind: 'set' }
  /** The keys are in alphabetical order. */
  | { kind: 'list'; keys: readonly string[]; items: Node; itemType: StructType };

const LEAF: Node = { kind: 'leaf' };

/** The node of an object of a type; those of its fields are put together when one is asked for. */
export const typeNode = perType((type): Node => {
  let fields: ReadonlyMap<string, Node> | undefined;
  return {
    kind: 'struct',
    fields() {
      fields ??= new Map(type.fields.map(([field, schema]) => [field, nodeOf(type, schema)]));
      return fields;
    },
  };
});

function nodeOf(owner: StructType, schema: FieldSchema): Node {
  if (schema.atomic) return LEAF;
  switch (schema.type) {
    case 'object': {
      const type = owner.type(schema.ref);
      return type.declared.atomic ? LEAF : typeNode(type);
    }
    case 'map':
      return { kind: 'map', values: nodeOf(owner, schema.values) };
    case 'array': {
      const { listKeys, items } = schema;
      if (listKeys && items.type === 'object') {
        const itemType = owner.type(items.ref);
        return { kind: 'list', keys: [...listKeys].sort(), items: typeNode(itemType), itemType };
      }
      return schema.set ? { kind: 'set' } : LEAF;
    }
    default:
      return LEAF;
  }
}

/** The node of a field of a struct, or of a value of a map; undefined for a field that the type does not have. */
export function childNode(node: Node, field: string): Node | undefined {
  if (node.kind === 'map') return node.values;
  if (node.kind !== 'struct') return undefined;
  return node.fields().get(field);
}

/** The node of a list's items. */
export function itemNode(node: Node): Node {
  return node.kind === 'list' ? node.items : LEAF;
}

/** The path element of a list's item; undefined for an item without its keys. */
export function itemElement(node: Node, item: unknown): string | undefined {
  if (node.kind !== 'list') return `v:${JSON.stringify(item)}`;
  if (!isStruct(item)) return undefined;
  const identity: Array<[string, unknown]> = [];
  for (const key of node.keys) {
    const value = item[key] ?? node.itemType.field(key)?.default;
    if (value === undefined) return undefined;
    identity.push([key, value]);
  }
  return `k:${JSON.stringify(Object.fromEntries(identity))}`;
}
