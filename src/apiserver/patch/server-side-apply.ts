// Server-side apply: a manager says which fields it wants and with what values. What it no longer says is taken out
// when nobody else wants it; what others own with another value is a conflict. Follows structured-merge-diff's
// merge/update.go and apimachinery pkg/util/managedfields/internal (structuredmerge.go, conflict.go).

import { badRequest, StatusError } from '../../api/errors.ts';
import type { ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';
import { isStruct, type Struct } from '../../base/struct.ts';
import { EMPTY, type FieldSet, pathText } from './field-set.ts';
import {
  changesOf,
  disown,
  identifierOf,
  type Managed,
  namesFor,
  readManagers,
  recordEarlierWrites,
  type Writer,
  withoutManagers,
  writable,
  writeManagers,
} from './managed-fields.ts';
import { childNode, itemElement, itemNode, type Node, typeNode } from './typed.ts';
import { fieldsOf, merge, remove, withNamedFields } from './typed-operations.ts';

/** Who applies, and how. */
export interface ApplyOptions extends Writer {
  /** Whether fields that others own are taken from them. */
  force: boolean;
}

/**
 * Applies a configuration.
 * @param live the stored object, or `{ metadata: {} }` where there is none.
 * @param patch the configuration: whatever fields the manager has an opinion of.
 * @returns the merged object with its new managedFields, not yet decoded and defaulted.
 * Throws badRequest for a configuration that does not fit the schema, Conflict (409) for fields that others own.
 */
export function serverSideApply(
  type: StructType,
  live: KubeObject,
  patch: unknown,
  options: ApplyOptions,
): KubeObject {
  const node = typeNode(type);
  const config = readConfiguration(node, live, patch);
  const names = namesFor(options, config.apiVersion);
  const recorded = readManagers(live.metadata.managedFields, names);
  if (recorded.size === 0) recordEarlierWrites(type, live, recorded);
  const entry: Managed['entry'] = present({
    apiVersion: config.apiVersion ?? live.apiVersion ?? 'v1',
    manager: options.manager,
    operation: 'Apply',
    subresource: options.subresource || undefined,
    time: timestamp(options.nowMs),
  });
  const id = identifierOf(entry);
  const last = recorded.get(id);
  const wanted = writable(type, options.subresource, fieldsOf(node, config));
  const managers = new Map(recorded).set(id, { entry, fields: wanted });

  const plain = withoutManagers(live);
  const merged = merge(node, plain, config);
  const pruned = last ? prune(node, merged, last.fields, managers) : merged;
  const next = asObject(pruned);
  const changes = changesOf(type, options.subresource, plain, next);
  if (!options.force) refuseConflicts(managers, id, changes.added.union(changes.modified));
  const left = disown(managers, id, changes);
  const isUnchanged = sameJson(plain, next);
  // Who applies again what is there keeps the time of when it last changed something.
  const applied = left.get(id);
  if (isUnchanged && applied)
    left.set(id, { ...applied, entry: { ...entry, ...(last?.entry.time && { time: last.entry.time }) } });
  const managedFields = writeManagers(left, names);
  return { ...next, metadata: { ...next.metadata, ...(managedFields && { managedFields }) } };
}

/** Takes out what the manager applied last time and not this time, unless another manager owns it too. */
function prune(node: Node, merged: unknown, last: FieldSet, managers: ReadonlyMap<string, Managed>): unknown {
  const lastNamed = withNamedFields(node, last);
  const named = (value: unknown): FieldSet => withNamedFields(node, fieldsOf(node, value));
  const mergedFields = named(merged);
  const owned = [...managers.values()].reduce((all, { fields }) => all.union(fields), EMPTY);
  const removed = remove(node, merged, lastNamed);
  const kept = named(removed).union(withNamedFields(node, owned));
  const restored = remove(node, merged, mergedFields.difference(kept));
  return remove(node, merged, mergedFields.difference(named(restored)).intersection(lastNamed));
}

function asObject(value: unknown): KubeObject {
  const object: Struct = isStruct(value) ? value : {};
  return { ...object, metadata: isStruct(object.metadata) ? object.metadata : {} };
}

// ---- the configuration ------------------------------------------------------------------------------------------

function readConfiguration(node: Node, live: KubeObject, patch: unknown): KubeObject {
  if (!isStruct(patch)) throw badRequest('error decoding patch: the configuration to apply is an object');
  const config = asObject(patch);
  if (config.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  if (live.apiVersion && config.apiVersion !== live.apiVersion) {
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${config.apiVersion ?? ''}, expected: ${live.apiVersion}`,
    );
  }
  const problems = problemsOf(node, patch, '');
  if (problems.length > 0) {
    const { name = '', namespace = '' } = { ...live.metadata, ...config.metadata };
    const about = `${namespace}/${name}; ${config.apiVersion}, Kind=${config.kind}`;
    throw badRequest(`failed to create typed patch object (${about}): ${problems.join('\n')}`);
  }
  return config;
}

/** Why a configuration does not fit the schema: fields that are not there, wrong forms, items told apart by nothing. */
function problemsOf(node: Node, value: unknown, path: string): string[] {
  if (node.kind === 'leaf' || value === null || value === undefined) return [];
  if (node.kind === 'struct' || node.kind === 'map') {
    if (!isStruct(value)) return [`${path}: expected map, got ${JSON.stringify(value)}`];
    return Object.entries(value).flatMap(([key, item]) => {
      const child = childNode(node, key);
      return child
        ? problemsOf(child, item, `${path}.${key}`)
        : [`${path}.${key}: field not declared in schema`];
    });
  }
  if (!Array.isArray(value)) return [`${path}: expected list, got ${JSON.stringify(value)}`];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const element = itemElement(node, item);
    if (element === undefined) {
      const keys = node.kind === 'list' ? node.keys.join(', ') : '';
      return [
        `${path}: element ${index}: associative list with keys has an element that omits key field (${keys})`,
      ];
    }
    const place = pathText([element]);
    if (seen.has(element)) return [`${path}: duplicate entries for key ${place}`];
    seen.add(element);
    return problemsOf(itemNode(node), item, `${path}${place}`);
  });
}

// ---- conflicts --------------------------------------------------------------------------------------------------

function describe({ manager, operation, apiVersion, subresource, time }: ManagedFieldsEntry): string {
  const name =
    JSON.stringify(manager ?? '') + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  if (operation !== 'Update') return name;
  return time === undefined ? `${name} using ${apiVersion}` : `${name} using ${apiVersion} at ${time}`;
}

/** Of so many conflicts each is told. */
const MAX_TOLD = 500;

function refuseConflicts(managers: ReadonlyMap<string, Managed>, applier: string, changed: FieldSet): void {
  const conflicts = [...managers].flatMap(([id, { entry, fields }]) => {
    if (id === applier) return [];
    // The identifier of a manager does not hold its time, nor does the message.
    const { time: _time, ...who } = entry;
    return fields
      .intersection(changed)
      .paths()
      .map((path) => ({ manager: describe(who), path }));
  });
  const told = conflicts.slice(0, MAX_TOLD).map(({ manager, path }) => ({ manager, path: pathText(path) }));
  const [first] = told;
  if (!first) return;
  throw new StatusError({
    message:
      conflicts.length === 1
        ? `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`
        : several(told, conflicts.length),
    reason: 'Conflict',
    details: {
      causes: told.map(({ manager, path }) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${manager}`,
        field: path,
      })),
    },
    code: 409,
  });
}

/** @param count of all conflicts. */
function several(conflicts: ReadonlyArray<{ manager: string; path: string }>, count: number): string {
  const managers = [...new Set(conflicts.map(({ manager }) => manager))].sort();
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((conflict) => conflict.manager === manager).map(({ path }) => `- ${path}`),
  ]);
  if (count > conflicts.length) lines.push(`and ${count - conflicts.length} more`);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}
