// Results of the pipeline as bytes, in the form that was negotiated. Plain JSON is put together from the bytes that
// are kept of every object.
import { notAcceptable } from '../../../api/errors.ts';
import type { ObjectList } from '../../../api/list-watch.ts';
import type { KubeObject } from '../../../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource.ts';
import { scaleColumns } from '../../../api/resources/shared/scale-columns.ts';
import type { Schema, StructType } from '../../../api/schema/schema.ts';
import { yaml } from '../../../base/yaml.ts';
import { encodeObject } from '../../codec.ts';
import { encodeProtobuf, encodeProtobufList } from '../../protobuf/encode.ts';
import { hasProtobuf } from '../../protobuf/numbered-fields.ts';
import { type Accepted, mediaTypeOf } from './accept.ts';
import { partialMetadata, type TableOptions, type Tabular, tableOf } from './table.ts';

/** What objects are written as; YAML is made of their JSON (yaml-thread.ts). */
export type Form = Accepted & { format: 'json' | 'protobuf' };

const SCALES: Tabular = { columns: scaleColumns };

const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}\n');

/** The type of an object that a resource's requests are answered with; undefined for one without protobuf. */
function typeOf(
  schema: Schema,
  resource: ResourceDefinition,
  { kind = '', apiVersion }: KubeObject,
): StructType | undefined {
  const isOwn = kind === resource.kind && apiVersion === apiVersionOf(resource);
  const type = isOwn ? schema.type(resource.schema) : schema.find(kind);
  return type && hasProtobuf(type) ? type : undefined;
}

/** `*core.Pod`: what upstream calls an object of the resource. */
function goTypeOf({ group, kind }: ResourceDefinition): string {
  return `*${group.split('.', 1)[0] || 'core'}.${kind}`;
}

/** One object. A Status is never anything else. @param schema of all that is served. */
export function encodeOne(
  schema: Schema,
  resource: ResourceDefinition,
  object: KubeObject,
  { format, shape }: Form,
  options: () => TableOptions,
): Buffer {
  const { kind } = object;
  if (shape === 'PartialObjectMetadataList' && kind !== 'Status') {
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goTypeOf(resource)})`,
    );
  }
  if (kind === 'Scale' && shape === 'Table' && format !== 'protobuf') {
    const { resourceVersion } = object.metadata;
    return encodeValue(tableOf(SCALES, [object], { resourceVersion }, options()), format);
  }
  if (kind !== 'Status' && kind === resource.kind && shape !== 'object') {
    const { resourceVersion } = object.metadata;
    const shaped =
      shape === 'Table'
        ? tableOf(resource, [object], { resourceVersion }, options())
        : partialMetadata(object);
    return format === 'protobuf'
      ? encodeProtobuf(schema.type(resource.schema), shaped)
      : encodeValue(shaped, format);
  }
  if (format === 'json') return encodeObject(object);
  const type = typeOf(schema, resource, object);
  if (!type) throw notAcceptable(`${kind} is not served as ${mediaTypeOf(format)}`);
  return encodeProtobuf(type, object);
}

export function encodeList(
  schema: Schema,
  resource: ResourceDefinition,
  { metadata, items }: ObjectList,
  { format, shape }: Form,
  options: () => TableOptions,
): Buffer {
  if (shape === 'PartialObjectMetadata') {
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(resource)}List)`,
    );
  }
  if (shape === 'Table' && format !== 'protobuf') {
    return encodeValue(tableOf(resource, items, metadata, options()), format);
  }
  if (shape !== 'object') {
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
    const reduced = items.map(partialMetadata);
    return format === 'protobuf'
      ? encodeProtobufList(list, schema.type(resource.schema), reduced)
      : encodeValue({ ...list, items: reduced }, format);
  }
  const head = headOf(resource, metadata);
  if (format === 'protobuf') return encodeProtobufList(head, schema.type(resource.schema), items);
  return Buffer.concat([...jsonList(resource, { metadata, items })]);
}

const headOf = (resource: ResourceDefinition, metadata: ObjectList['metadata']) => ({
  kind: `${resource.kind}List`,
  apiVersion: apiVersionOf(resource),
  metadata,
});

/** A list in plain JSON, piece by piece: the bytes that are kept of its items, and what stands between them. */
export function* jsonList(resource: ResourceDefinition, { metadata, items }: ObjectList): Generator<Buffer> {
  yield Buffer.from(`${JSON.stringify(headOf(resource, metadata)).slice(0, -1)},"items":[`);
  let first = true;
  for (const item of items) {
    if (!first) yield COMMA;
    first = false;
    yield encodeObject(item);
  }
  yield LIST_END;
}

/** Any JSON value. */
export function encodeValue(value: object, format: 'json' | 'yaml'): Buffer {
  return Buffer.from(format === 'yaml' ? yaml().stringify(value) : `${JSON.stringify(value)}\n`);
}
