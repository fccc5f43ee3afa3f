// Field sets in their JSON form, shared: the pods of a set are owned alike, field by field, and what is written down
// about each of them need not be kept for each. Both tables are bounded; beyond the bound nothing is shared, and
// nothing else changes.
import type { KubeObject } from '../../api/objects.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { isStruct, type Struct } from '../../base/struct.ts';
import { FieldSet } from './field-set.ts';

/** Of sets that are longer there are not many alike, and a few would fill the memory. */
const SHARED_TEXT_LIMIT = 16 * 1024;
const SHARED_SIZE_LIMIT = 1000;
const SHARED_LIMIT = 4096;
const READ_LIMIT = 512;

const shared = new Map<string, Struct>();
/** What was read last, by the JSON it was read from. */
const sets = new Map<object, FieldSet>();
const written = new WeakMap<FieldSet, Struct>();

function bounded<K, V>(map: Map<K, V>, limit: number, key: K, value: V): void {
  map.set(key, value);
  if (map.size <= limit) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

function remember(json: object, fields: FieldSet): void {
  if (fields.size <= SHARED_SIZE_LIMIT) bounded(sets, READ_LIMIT, json, fields);
}

function share(fields: Struct, text = JSON.stringify(fields)): Struct {
  if (text.length > SHARED_TEXT_LIMIT) return deepFreeze(fields);
  const known = shared.get(text);
  if (known) return known;
  bounded(shared, SHARED_LIMIT, text, deepFreeze(fields));
  return fields;
}

/** Field sets in their JSON form, by its text: frozen, and the same object for the same text. */
export function fieldsOfText(text: string): Struct {
  const known = shared.get(text);
  if (known) return known;
  const fields: unknown = JSON.parse(text);
  return isStruct(fields) ? share(fields, text) : share({});
}

/** A set as `fieldsV1` holds it: frozen, and the same object for the same fields. */
export function writeFields(fields: FieldSet): Struct {
  let json = written.get(fields);
  if (!json) {
    json = share(fields.toJSON());
    written.set(fields, json);
    remember(json, fields);
  }
  return json;
}

/** Reads `fieldsV1`; what is no field set is taken as an empty one. */
export function readFields(value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return FieldSet.fromJSON(value);
  let fields = sets.get(value);
  if (!fields) {
    fields = FieldSet.fromJSON(value);
    remember(value, fields);
  }
  return fields;
}

/** Shares the field sets of an object that has just been parsed. */
export function shareFields({ metadata }: KubeObject): void {
  for (const entry of metadata.managedFields ?? []) {
    if (isStruct(entry.fieldsV1)) entry.fieldsV1 = share(entry.fieldsV1);
  }
}
