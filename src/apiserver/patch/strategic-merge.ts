// Strategic merge patch, which `kubectl apply` and `kubectl patch` send: a merge patch that knows from the schema which
// lists are merged by key, and that carries directives ($patch, $retainKeys, $setElementOrder/…,
// $deleteFromPrimitiveList/…). Follows apimachinery pkg/util/strategicpatch/patch.go as the API server uses it
// (MergeParallelList and IgnoreUnmatchedNulls on).
import { badRequest } from '../../api/errors.ts';
import type { FieldSchema, StructType } from '../../api/schema/schema.ts';
import { setProperty } from '../../api/schema/set-property.ts';
import { isStruct, type Struct } from '../../base/struct.ts';
import { DIRECTIVE, mergeList, orderBySetElementOrder, validateOrder } from './strategic-list.ts';

const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';
const ORDER_PREFIX = '$setElementOrder/';

/** What is known of a field: the type below it (none for maps and free-form values), and how it is patched. */
interface Field {
  type: StructType | undefined;
  strategies: readonly string[];
  mergeKey: string | undefined;
}

function typeBelow(owner: StructType, schema: FieldSchema | undefined): StructType | undefined {
  if (schema?.type === 'object') return owner.type(schema.ref);
  return schema?.type === 'array' ? typeBelow(owner, schema.items) : undefined;
}

function fieldOf(owner: StructType | undefined, name: string): Field {
  const schema = owner?.field(name);
  const type = owner && typeBelow(owner, schema);
  return { type, strategies: schema?.patch?.split(',') ?? [], mergeKey: schema?.mergeKey };
}

/**
 * Applies a strategic merge patch to an object of a type. `current` is not changed; the result shares with it
 * what the patch leaves alone. Throws badRequest for malformed directives.
 */
export function applyStrategicMergePatch(type: StructType, current: Struct, patch: unknown): Struct {
  if (!isStruct(patch)) throw badRequest('a strategic merge patch is an object');
  return mergeStruct(current, patch, type);
}

/** Merges a patch into one object. */
function mergeStruct(current: Struct, patch: Struct, type: StructType | undefined): Struct {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    if (directive === 'replace') return without(patch, new Set([DIRECTIVE]));
    if (directive === 'delete') return {};
    throw badRequest(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);
  }
  const merged = retainKeys(current, patch);
  const ordered = Object.keys(patch).filter((key) => key.startsWith(ORDER_PREFIX));
  const orderedNames = ordered.map((key) => key.slice(ORDER_PREFIX.length));
  for (const key of ordered) mergeOrderedList(merged, patch, key, type);
  const rest = without(patch, new Set([RETAIN_KEYS, ...ordered, ...orderedNames]));
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith(DELETE_PREFIX)) deleteScalars(merged, key.slice(DELETE_PREFIX.length), value);
    else mergeField(merged, key, value, type);
  }
  return merged;
}

function without(struct: Struct, names: ReadonlySet<string>): Struct {
  return Object.fromEntries(Object.entries(struct).filter(([key]) => !names.has(key)));
}

function mergeField(merged: Struct, key: string, value: unknown, type: StructType | undefined): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const old = Object.hasOwn(merged, key) ? merged[key] : undefined;
  const field = fieldOf(type, key);
  if (isStruct(old) && isStruct(value)) {
    const replaces = field.strategies.includes('replace');
    setProperty(merged, key, replaces ? value : mergeStruct(old, value, field.type));
    return;
  }
  if (Array.isArray(old) && Array.isArray(value)) {
    const merges = field.strategies.includes('merge');
    setProperty(merged, key, merges ? mergeItems(field, old, value) : value);
    return;
  }
  const kept = plainValue(value);
  if (kept === undefined) delete merged[key];
  else setProperty(merged, key, kept);
}

function mergeItems(field: Field, old: readonly unknown[], patch: readonly unknown[]): unknown[] {
  return mergeList(old, patch, field.mergeKey, (item, change) => mergeStruct(item, change, field.type));
}

/** What a patch adds where nothing was: without nulls, and without items and fields that are only directives. */
function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue).filter((item) => item !== undefined);
  if (!isStruct(value)) return value;
  if (value[DIRECTIVE] !== undefined) return undefined;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const kept = item === null ? undefined : plainValue(item);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return Object.fromEntries(entries);
}

/** Keeps only the fields that $retainKeys names; the patch may set no other. */
function retainKeys(current: Struct, patch: Struct): Struct {
  const kept = patch[RETAIN_KEYS];
  if (kept === undefined) return { ...current };
  if (!Array.isArray(kept)) throw badRequest('invalid patch format of retainKeys');
  const names = new Set<unknown>(kept);
  for (const [key, value] of Object.entries(patch)) {
    const isDirective = key === RETAIN_KEYS || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX);
    if (value !== null && !isDirective && !names.has(key)) {
      throw badRequest('invalid patch format of retainKeys');
    }
  }
  return Object.fromEntries(Object.entries(current).filter(([key]) => names.has(key)));
}

function deleteScalars(merged: Struct, name: string, scalars: unknown): void {
  if (!Array.isArray(scalars)) throw badRequest('invalid patch format of primitive list');
  const old = merged[name];
  const gone = new Set<unknown>(scalars);
  if (Array.isArray(old)) merged[name] = old.filter((item) => !gone.has(item));
}

/** Merges the list that a $setElementOrder directive is about, and puts it in that order. */
function mergeOrderedList(merged: Struct, patch: Struct, key: string, type: StructType | undefined): void {
  const name = key.slice(ORDER_PREFIX.length);
  const order = patch[key];
  const old = merged[name];
  const added = patch[name];
  if (!Array.isArray(order) || (added !== undefined && !Array.isArray(added))) {
    throw badRequest('invalid patch format of setElementOrder list');
  }
  if (old !== undefined && !Array.isArray(old))
    throw badRequest('invalid patch format of setElementOrder list');
  const field = fieldOf(type, name);
  const { mergeKey } = field;
  validateOrder(added ?? [], order, mergeKey);
  if (old === undefined && added === undefined) return;
  let list: readonly unknown[];
  if (added === undefined) list = old ?? [];
  else if (old === undefined) list = added.map(plainValue).filter((item) => item !== undefined);
  else if (field.strategies.includes('merge')) list = mergeItems(field, old, added);
  else list = added;
  setProperty(merged, name, orderBySetElementOrder(list, order, old ?? [], mergeKey));
}
