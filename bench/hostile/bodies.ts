// Bodies at the limits of what is taken: for every list and map of every served kind, an object that has nothing but
// that, and as much of it as a body may hold.
import type { ResourceDefinition } from '../../src/api/resource.ts';
import { apiVersionOf } from '../../src/api/resource.ts';
import { allResources } from '../../src/api/resources/all.ts';
import { schemaOf } from '../../src/api/resources/schema.ts';
import type { FieldSchema } from '../../src/api/schema/schema.ts';

const served = schemaOf(allResources);

/** How the items of the list, or the entries of the map, are filled. */
export type Filling = 'different' | 'same' | 'null';

export const FILLINGS: readonly Filling[] = ['different', 'same', 'null'];

/** Where a list or a map stands: the fields to it from the root, through lists. */
export interface Site {
  path: string[];
  schema: FieldSchema & { type: 'array' | 'map' };
  /** `PodSpec.containers` */
  field: string;
}

const MAX_DEPTH = 12;

/** Every list and map below a type. */
export function sitesOf(type: string, path: string[] = []): Site[] {
  if (path.length > MAX_DEPTH) return [];
  return served.type(type).fields.flatMap(([name, schema]): Site[] => {
    const here = [...path, name];
    const field = `${type}.${name}`;
    if (schema.type === 'object') return sitesOf(schema.ref, here);
    if (schema.type === 'map') return [{ path: here, schema, field }];
    if (schema.type !== 'array') return [];
    const below = schema.items.type === 'object' ? sitesOf(schema.items.ref, [...here, '[]']) : [];
    return [{ path: here, schema, field }, ...below];
  });
}

/** A body with a list or map of so many entries at one place, as JSON. */
export function bodyOf(resource: ResourceDefinition, site: Site, filling: Filling, entries: number): string {
  const object = structOf(resource.schema, 0, 0);
  Object.assign(object, { apiVersion: apiVersionOf(resource), kind: resource.kind });
  object.metadata = { name: 'x', ...(resource.namespaced ? { namespace: 'default' } : {}) };
  let at: Record<string, unknown> = object;
  let type = resource.schema;
  site.path.forEach((name, index) => {
    if (name === '[]') return;
    const schema = served.type(type).field(name);
    if (index === site.path.length - 1) {
      at[name] = entriesOf(site, filling, entries);
      return;
    }
    const ref = schema?.type === 'array' ? schema.items : schema;
    if (ref?.type !== 'object') throw new Error(`${site.path.join('.')} leads nowhere`);
    const there = at[name];
    const first: unknown = Array.isArray(there) ? there[0] : there;
    const next = typeof first === 'object' && first !== null ? first : structOf(ref.ref, 0, index);
    at[name] = schema?.type === 'array' ? [next] : next;
    at = next as Record<string, unknown>;
    type = ref.ref;
  });
  return JSON.stringify(object);
}

function entriesOf({ schema }: Site, filling: Filling, entries: number): unknown {
  const numbers = Array.from({ length: entries }, (_, index) => (filling === 'different' ? index : 0));
  if (schema.type === 'map') {
    return Object.fromEntries(
      numbers.map((number, index) => [
        `k${index}`,
        filling === 'null' ? null : sampleOf(schema.values, number, []),
      ]),
    );
  }
  return numbers.map((number) =>
    filling === 'null' ? null : sampleOf(schema.items, number, schema.listKeys ?? []),
  );
}

function sampleOf(schema: FieldSchema, number: number, keys: readonly string[], depth = 0): unknown {
  switch (schema.type) {
    case 'string':
      return schema.format === undefined
        ? `n${number}`
        : schema.format === 'byte'
          ? 'AAAA'
          : '2024-01-01T00:00:00Z';
    case 'integer':
    case 'number':
    case 'int-or-string':
      return number;
    case 'boolean':
      return true;
    case 'object':
      return structOf(schema.ref, number, depth + 1, keys);
    case 'array':
    case 'any':
      return [];
    case 'map':
      return {};
  }
}

/** A struct with what must be there, and what tells it apart. */
function structOf(
  type: string,
  number: number,
  depth: number,
  keys: readonly string[] = [],
): Record<string, unknown> {
  const { properties, required = [] } = served.type(type).declared;
  if (depth > MAX_DEPTH) return {};
  const told = ['name', 'key', 'uid', 'controller'].filter((name) => properties[name]);
  return Object.fromEntries(
    [...new Set([...required, ...keys, ...told])].flatMap((name) => {
      const schema = properties[name];
      return schema ? [[name, sampleOf(schema, number, [], depth)]] : [];
    }),
  );
}
