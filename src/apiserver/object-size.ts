// How large an object may be: as large as etcd takes it, which counts what upstream stores, and of no more parts than
// can be defaulted, checked and kept in a moment.
import { requestEntityTooLarge, StatusError } from '../api/errors.ts';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import type { StructType } from '../api/schema/schema.ts';
import { present } from '../base/present.ts';
import { encodeProtobuf } from './protobuf/encode.ts';
import { hasProtobuf } from './protobuf/numbered-fields.ts';

/** etcd's --max-request-bytes as it is by default. */
const MAX_STORED_BYTES = 1.5 * 1024 * 1024;

/**
 * Numbers, texts, maps and lists together, with what was left to defaults, without managedFields: those are handed on as
 * they are. A full EndpointSlice, of 1000 endpoints, has 14,000.
 */
export const MAX_PARTS = 15_000;

/**
 * Throws RequestEntityTooLarge for an object, or a patch of one, of too many values, before any work is done for each.
 */
export function requireFewParts({ kind }: Pick<ResourceDefinition, 'kind'>, object: unknown): void {
  if (countParts(object, MAX_PARTS, managedFieldsOf(object)) >= 0) return;
  throw requestEntityTooLarge(
    `Request entity too large: the ${kind} has more than ${MAX_PARTS} values, with its defaults`,
  );
}

function managedFieldsOf(object: unknown): unknown {
  const metadata: unknown = Reflect.get(Object(object), 'metadata');
  return Reflect.get(Object(metadata), 'managedFields');
}

/**
 * What is left of a budget when each value has taken one; negative when it did not do.
 * @param uncounted a list or map that stands somewhere in it and takes nothing.
 */
export function countParts(value: unknown, budget: number, uncounted?: unknown): number {
  if (typeof value !== 'object' || value === null) return budget - 1;
  if (value === uncounted) return budget;
  let left = budget - 1;
  if (Array.isArray(value)) {
    for (const child of value) {
      left = countParts(child, left, uncounted);
      if (left < 0) break;
    }
    return left;
  }
  // JSON values inherit nothing that counts.
  for (const key in value) {
    left = countParts(Reflect.get(value, key), left, uncounted);
    if (left < 0) break;
  }
  return left;
}

/**
 * Throws what upstream answers for an object that etcd does not take. The stored form is larger than upstream's, which
 * is protobuf where the kind has that: only what exceeds the limit in both is refused.
 * @param storedBytes of its stored form.
 */
export function requireStorable(
  { kind, plural, group }: ResourceDefinition,
  type: StructType,
  object: KubeObject,
  storedBytes: number,
): void {
  if (storedBytes <= MAX_STORED_BYTES) return;
  const bytes = hasProtobuf(type) ? encodeProtobuf(type, object).length : storedBytes;
  if (bytes <= MAX_STORED_BYTES) return;
  const name = object.metadata.name ?? '';
  const message = `${kind} "${name}" has ${bytes} bytes, at most ${MAX_STORED_BYTES} can be stored`;
  throw new StatusError({
    message: 'etcdserver: request is too large',
    details: present({ name, group: group || undefined, kind: plural, causes: [{ message }] }),
    code: 500,
  });
}
