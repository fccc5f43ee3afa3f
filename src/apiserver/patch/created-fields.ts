// What whoever creates an object owns of it, written down in one walk: the very fields that comparing it with an empty
// object finds (typed-operations.ts), but as the text of `fieldsV1`, which for the pods of a set is always the same one.
import type { StructType } from '../../api/schema/schema.ts';
import { sameJson } from '../../base/same-json.ts';
import { isStruct, type Struct } from '../../base/struct.ts';
import { childNode, itemElement, itemNode, type Node, typeNode } from './typed.ts';
import { isBare, isGranular } from './typed-operations.ts';

/** Nobody owns these: they say which object it is, or the server sets them. */
export const UNOWNED: ReadonlySet<string> = new Set(['apiVersion', 'kind']);
export const UNOWNED_METADATA: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
]);
const WITH_STATUS: ReadonlySet<string> = new Set([...UNOWNED, 'status']);

/**
 * The fields of a new object that its creator owns, as JSON text in the order of `fieldsV1`; `{}` when there are none.
 * @param empty what every object of the type has.
 * @param hasStatus whether the status is written apart.
 */
export function createdFields(type: StructType, empty: object, object: object, hasStatus: boolean): string {
  return `{${fieldsBelow(typeNode(type), empty, object, hasStatus ? WITH_STATUS : UNOWNED)}}`;
}

function fieldsBelow(node: Node, empty: unknown, value: unknown, unowned?: ReadonlySet<string>): string {
  if (node.kind === 'struct' && isStruct(value)) return fieldsOfStruct(node, empty, value, unowned);
  const texts = new Map<string, string>();
  const add = (element: string, part: unknown, partNode: Node | undefined, before: unknown): void => {
    const text = fieldText(partNode, before, part);
    if (text === undefined) texts.delete(element);
    else texts.set(element, text);
  };
  if (Array.isArray(value)) {
    const items = itemNode(node);
    for (const item of value) {
      const element = itemElement(node, item);
      if (element !== undefined) add(element, item, items, undefined);
    }
  } else if (isStruct(value)) {
    const before = isStruct(empty) ? empty : undefined;
    for (const key of Object.keys(value)) add(`f:${key}`, value[key], childNode(node, key), before?.[key]);
  }
  const elements = [...texts.keys()].sort();
  return elements.map((element) => `${JSON.stringify(element)}:${texts.get(element)}`).join(',');
}

/** The same for what most of an object is: its names are the schema's, which sort alike with quotes and without. */
function fieldsOfStruct(node: Node, empty: unknown, value: Struct, unowned?: ReadonlySet<string>): string {
  const before = isStruct(empty) ? empty : undefined;
  const texts: string[] = [];
  for (const key of Object.keys(value)) {
    if (unowned?.has(key)) continue;
    const isMetadata = unowned !== undefined && key === 'metadata';
    const text = fieldText(childNode(node, key), before?.[key], value[key], isMetadata);
    if (text !== undefined) texts.push(`"f:${key}":${text}`);
  }
  return texts.sort().join(',');
}

/** What is owned of one field or item; undefined for nothing. */
function fieldText(
  node: Node | undefined,
  before: unknown,
  value: unknown,
  isMetadata = false,
): string | undefined {
  const unowned = isMetadata ? UNOWNED_METADATA : undefined;
  const granular = node !== undefined && isGranular(node, value);
  if (before === undefined) {
    const inside = granular && !isBare(value) ? fieldsBelow(node, undefined, value, unowned) : '';
    return inside ? `{".":{},${inside}}` : '{}';
  }
  if (sameJson(before, value)) return undefined;
  if (!granular || (isBare(before) && isBare(value))) return '{}';
  const inside = fieldsBelow(node, before, value, unowned);
  return inside ? `{${inside}}` : undefined;
}
