// Results of the pipeline as bytes, in the form that was negotiated. Plain JSON is put together from the bytes that
// are kept of every object.
import { stringify } from 'yaml';
import type { KubeObject } from '../../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../../api/resource.ts';
import { encodeObject } from '../codec.ts';
import type { ObjectList } from '../request.ts';
import type { Accepted } from './accept.ts';
import { partialMetadata, type TableOptions, tableOf } from './table.ts';

const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}\n');

/** One object. A Status is never anything else. */
export function encodeOne(
  resource: ResourceDefinition,
  object: KubeObject,
  { format, shape }: Accepted,
  options: () => TableOptions,
): Buffer {
  const { kind } = object;
  if (kind !== 'Status' && kind === resource.kind && shape !== 'object') {
    const { resourceVersion } = object.metadata;
    const shaped =
      shape === 'Table'
        ? tableOf(resource, [object], { resourceVersion }, options())
        : partialMetadata(object);
    return encodeValue(shaped, format);
  }
  return format === 'json' ? encodeObject(object) : encodeValue(object, format);
}

export function encodeList(
  resource: ResourceDefinition,
  { metadata, items }: ObjectList,
  { format, shape }: Accepted,
  options: () => TableOptions,
): Buffer {
  if (shape === 'Table') return encodeValue(tableOf(resource, items, metadata, options()), format);
  if (shape !== 'object') {
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
    return encodeValue({ ...list, items: items.map(partialMetadata) }, format);
  }
  const head = { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata };
  if (format === 'yaml') return encodeValue({ ...head, items }, format);
  const chunks: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  items.forEach((item, index) => {
    if (index > 0) chunks.push(COMMA);
    chunks.push(encodeObject(item));
  });
  chunks.push(LIST_END);
  return Buffer.concat(chunks);
}

/** Any JSON value. */
export function encodeValue(value: object, format: Accepted['format']): Buffer {
  return Buffer.from(format === 'yaml' ? stringify(value) : `${JSON.stringify(value)}\n`);
}
