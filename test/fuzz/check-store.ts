// Whether everything that is stored could be stored again: of the schema, in its one form, and valid.
import type { KubeObject } from '../../src/api/objects.ts';
import type { ResourceDefinition } from '../../src/api/resource.ts';
import { decode } from '../../src/api/schema/decode.ts';
import type { StructType } from '../../src/api/schema/schema.ts';
import { validateObjectMetaUpdate } from '../../src/api/validation/metadata.ts';
import { decodeStored } from '../../src/apiserver/codec.ts';
import { prefixOf, storeKey } from '../../src/apiserver/keys.ts';
import type { ApiServer } from '../../src/apiserver/request.ts';
import { sameJson } from '../../src/base/same-json.ts';
import type { Store } from '../../src/store/store.ts';

/** What is wrong with the stored objects, one line each. */
export async function invalidObjects(
  store: Store,
  { resources, schema }: Pick<ApiServer, 'resources' | 'schema'>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const resource of resources()) {
    const { entries } = await store.list(prefixOf(resource));
    for (const { key, value } of entries) {
      // Parsed anew from a copy: what the server has at hand for these bytes does not count.
      const object = decodeStored(resource, Uint8Array.from(value));
      object.metadata.resourceVersion = '1';
      for (const problem of problemsOf(resource, schema.type(resource.schema), object, key))
        problems.push(`${key}: ${problem}`);
    }
  }
  return problems;
}

function problemsOf(
  resource: ResourceDefinition,
  type: StructType,
  object: KubeObject,
  key: string,
): string[] {
  const { name = '', namespace } = object.metadata;
  if (storeKey(resource, { name, namespace }) !== key) return [`is ${namespace}/${name}`];
  let decoded: object;
  try {
    decoded = decode(type, object, 'Strict').object;
  } catch (error) {
    return [`cannot be decoded: ${String(error)}`];
  }
  if (!sameJson(decoded, object)) return ['reads differently than it was written'];
  const { strategy } = resource;
  const errors = [
    ...validateObjectMetaUpdate(object.metadata, object.metadata, 'metadata'),
    ...(strategy.validateUpdate?.(object, object) ?? []),
    ...(strategy.validateStatusUpdate?.(object, object) ?? []),
  ];
  return errors.map(({ field, body }) => `${field}: ${body}`);
}
