// metadata.managedFields: who owns which fields, read and written, and kept up to date when somebody writes without
// applying. Follows apimachinery pkg/util/managedfields/internal and structured-merge-diff's merge/update.go.

import type { ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { decode } from '../../api/schema/decode.ts';
import { perType, type StructType } from '../../api/schema/schema.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';
import { createdFields, UNOWNED, UNOWNED_METADATA } from './created-fields.ts';
import { EMPTY, type FieldSet, FieldSetBuilder } from './field-set.ts';
import { fieldsOfText, readFields, writeFields } from './shared-fields.ts';
import { typeNode } from './typed.ts';
import { type Comparison, compare, fieldsOf } from './typed-operations.ts';
import { fieldsHere, type OwnNames, type VersionNames } from './version-names.ts';

/** As many managers that update (rather than apply) are kept apart; the oldest beyond them become one. */
const MAX_UPDATE_MANAGERS = 10;
const OLD_UPDATES = 'ancient-changes';

/** Somebody who writes. */
export interface Writer {
  /** As patch/writer.ts names it. */
  manager: string;
  /** Server time, ms since the epoch. */
  nowMs: number;
  subresource?: string | undefined;
  /** For a kind that is served in several versions. */
  versions?: VersionNames | undefined;
}

/** One manager's fields. */
export interface Managed {
  entry: Omit<ManagedFieldsEntry, 'fieldsV1' | 'fieldsType'>;
  fields: FieldSet;
}

/** Manager identifier → its fields. */
export type Managers = ReadonlyMap<string, Managed>;

/** Tells managers apart: those that apply are the same whatever version they apply with. */
export function identifierOf({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource ?? '']);
}

/** Reads an object's managedFields. @param names that the fields are to have. */
export function readManagers(
  entries: readonly ManagedFieldsEntry[] | undefined,
  names: OwnNames | undefined,
): Map<string, Managed> {
  return new Map(
    (entries ?? []).map((given) => {
      const { fieldsV1: _fields, fieldsType: _type, ...entry } = given;
      return [identifierOf(entry), { entry, fields: readFields(fieldsHere(given, names)) }];
    }),
  );
}

/** The names of an object's fields, for one who writes it; undefined when they are the same in every version. */
export function namesFor({ versions }: Writer, apiVersion: string | undefined): OwnNames | undefined {
  return versions && { versions, apiVersion };
}

function order(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const keys = (entry: ManagedFieldsEntry): string[] => [
    entry.operation ?? '',
    entry.time ?? '',
    entry.manager ?? '',
    entry.apiVersion ?? '',
    entry.subresource ?? '',
  ];
  const [left, right] = [keys(a), keys(b)];
  const at = left.findIndex((key, index) => key !== right[index]);
  return at < 0 ? 0 : (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}

/** Writes managedFields; undefined when nobody owns anything. @param names that the fields have. */
export function writeManagers(
  managers: Managers,
  names: OwnNames | undefined,
): ManagedFieldsEntry[] | undefined {
  const entries = [...managers.values()]
    .filter(({ fields }) => !fields.empty)
    .map(({ entry, fields }) => {
      const written = writeFields(fields);
      const own = names?.versions.renamed(written, names.apiVersion, entry.apiVersion) ?? written;
      return { ...entry, fieldsType: 'FieldsV1', fieldsV1: own };
    });
  return entries.length > 0 ? entries.sort(order) : undefined;
}

/** What nobody owns: what the server sets, and what says which object it is. */
const NOT_OWNED = ((): FieldSet => {
  const fields = new FieldSetBuilder();
  for (const name of [...UNOWNED, 'metadata']) fields.add(`f:${name}`);
  for (const name of UNOWNED_METADATA) fields.at('f:metadata').add(`f:${name}`);
  return fields.build();
})();

/** Leaves out what a write cannot change: status where status is written apart, spec when status is written. */
export function writable(type: StructType, subresource: string | undefined, fields: FieldSet): FieldSet {
  const owned = fields.difference(NOT_OWNED);
  if (!type.field('status')) return owned;
  return owned.without(subresource === 'status' ? 'f:spec' : 'f:status');
}

/** An object as ownership sees it: without managedFields. */
export function withoutManagers<T extends KubeObject>(object: T): T {
  const { managedFields: _managed, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/**
 * An object of which nothing was recorded: what it has belongs to whoever wrote it before, under the name that
 * upstream has for that.
 */
export function recordEarlierWrites(
  type: StructType,
  live: KubeObject,
  managers: Map<string, Managed>,
): void {
  const fields = writable(type, undefined, fieldsOf(typeNode(type), withoutManagers(live)));
  if (fields.empty) return;
  const entry: Managed['entry'] = present({
    apiVersion: live.apiVersion ?? 'v1',
    manager: 'before-first-apply',
    operation: 'Update',
    time: live.metadata.creationTimestamp,
  });
  managers.set(identifierOf(entry), { entry, fields });
}

/** Compares two versions, as far as a write may change them. */
export function changesOf(
  type: StructType,
  subresource: string | undefined,
  live: KubeObject,
  next: KubeObject,
): Comparison {
  const { added, modified, removed } = compare(typeNode(type), withoutManagers(live), withoutManagers(next));
  return {
    added: writable(type, subresource, added),
    modified: writable(type, subresource, modified),
    removed: writable(type, subresource, removed),
  };
}

/** Takes from every manager but one what the others lose by a change: what was changed under them, and what is gone. */
export function disown(managers: Managers, writer: string, changes: Comparison): Map<string, Managed> {
  const lost = changes.added.union(changes.modified).union(changes.removed);
  const left = [...managers].map(([id, managed]): [string, Managed] => [
    id,
    id === writer ? managed : { ...managed, fields: managed.fields.difference(lost) },
  ]);
  return new Map(left.filter(([, { fields }]) => !fields.empty));
}

/** What every object of a type has. */
const emptyObject = perType((type) => decode(type, {}, 'Ignore').object);

/** Whether a client asks to forget all ownership: `managedFields: [{}]`, or none of them in so many words. */
function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined || entries.length > 1) return false;
  return Object.keys(entries[0] ?? {}).length === 0;
}

/** Clients that do not understand managedFields are not to lose them: what cannot be read is as if it was not there. */
const isReadable = ({ operation, apiVersion, fieldsType }: ManagedFieldsEntry): boolean =>
  (operation === 'Apply' || operation === 'Update') && !!apiVersion && fieldsType === 'FieldsV1';

function ownedByCreator(
  type: StructType,
  created: KubeObject,
  { manager, nowMs }: Writer,
): ManagedFieldsEntry[] | undefined {
  const hasStatus = type.field('status') !== undefined;
  const text = createdFields(type, emptyObject(type), created, hasStatus);
  if (text === '{}') return undefined;
  const entry: Managed['entry'] = {
    apiVersion: created.apiVersion ?? 'v1',
    manager: manager || 'unknown',
    operation: 'Update',
    time: timestamp(nowMs),
  };
  return [{ ...entry, fieldsType: 'FieldsV1', fieldsV1: fieldsOfText(text) }];
}

/**
 * The managedFields that an object has after a create, update or patch (anything but apply).
 * @param live the object as stored; undefined when it is created.
 * @param next the object as it will be stored; its own managedFields are honoured when the client sent some.
 */
export function trackUpdate(
  type: StructType,
  live: KubeObject | undefined,
  next: KubeObject,
  writer: Writer,
): ManagedFieldsEntry[] | undefined {
  const given = next.metadata.managedFields;
  const reset = isReset(given) && !writer.subresource;
  if (!live && (!given || reset) && !writer.subresource) return ownedByCreator(type, next, writer);
  const stored = reset ? undefined : live?.metadata.managedFields;
  // A client that sends back what it was given is answered from what is known of the stored one.
  const isOwn = !reset && given?.every(isReadable) && !writer.subresource && !sameJson(given, stored);
  const recorded = isOwn ? given : stored;
  // A new object is compared with an empty one, so that the structs which every object has are nobody's.
  const compared = live ?? emptyObject(type);
  const changes = changesOf(type, writer.subresource, compared, next);
  const taken = changes.added.union(changes.modified);
  if (taken.empty && changes.removed.empty) return recorded;
  const names = namesFor(writer, next.apiVersion);
  const earlier = readManagers(recorded, names);
  if (live && !reset && earlier.size === 0) recordEarlierWrites(type, live, earlier);
  const entry: Managed['entry'] = present({
    apiVersion: next.apiVersion ?? 'v1',
    manager: writer.manager || 'unknown',
    operation: 'Update',
    subresource: writer.subresource || undefined,
    time: timestamp(writer.nowMs),
  });
  const id = identifierOf(entry);
  const managers = disown(earlier, id, changes);
  const before = managers.get(id);
  // What the writer owned and changes stays its own: often the very same set.
  const kept = before?.fields.difference(changes.removed) ?? EMPTY;
  if (!taken.empty) managers.set(id, { entry, fields: kept.union(taken) });
  else if (before) managers.set(id, { ...before, fields: kept });
  return writeManagers(capped(managers), names);
}

/** At most so many managers that update: the oldest are put together, per version. */
function capped(managers: Map<string, Managed>): Map<string, Managed> {
  const updates = [...managers]
    .filter(([, { entry }]) => entry.operation === 'Update' && !entry.subresource)
    .sort(([, a], [, b]) => order(a.entry, b.entry));
  const excess = updates.length - MAX_UPDATE_MANAGERS;
  if (excess <= 0) return managers;
  const result = new Map(managers);
  for (const [id, { entry, fields }] of updates.slice(0, excess + 1)) {
    result.delete(id);
    const bucket = { ...entry, manager: OLD_UPDATES };
    const bucketId = identifierOf(bucket);
    result.set(bucketId, { entry: bucket, fields: fields.union(result.get(bucketId)?.fields ?? EMPTY) });
  }
  return result;
}
