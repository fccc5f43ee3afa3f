// The whole table of fields, of readers.yaml, unsupported.ts and the schema: for docs/fields.md and the tests.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { allResources } from '../resources/all.ts';
import { schemaOf } from '../resources/schema.ts';
import { objectTypeOf } from '../schema/schema.ts';
import { UNSUPPORTED, type Unsupported } from './unsupported.ts';

/** What becomes of one field. */
export interface FieldRow {
  type: string;
  field: string;
  /** The file below src/ that acts on it. */
  reader?: string;
  /** Why nobody has to. */
  kept?: string;
  /** What is said of it to who sets it. */
  unsupported?: Unsupported;
}

/** Of everything that is served. */
export const schema = schemaOf(allResources);

/** Bodies that are no object of a resource. */
const OTHER_BODIES = ['Scale', 'Binding', 'Eviction', 'TokenRequest', 'DeleteOptions'];
/** What stands in it holds for every kind. */
const EVERY_KIND = '*';

type Table = Record<string, Record<string, string>>;

const readers: Table = parse(readFileSync(new URL('readers.yaml', import.meta.url), 'utf8'));

/** The types of all bodies and of what lies below their fields, but for what lies only below unsupported ones. */
export function servedTypes(): string[] {
  const found = new Set<string>();
  const queue = [...allResources.map((resource) => resource.schema), ...OTHER_BODIES];
  for (let type = queue.pop(); type !== undefined; type = queue.pop()) {
    if (found.has(type)) continue;
    found.add(type);
    for (const [field, held] of schema.type(type).fields) {
      const below = objectTypeOf(held);
      const unsupported = UNSUPPORTED[type]?.[field];
      const isReached = !unsupported || unsupported.values || (below && UNSUPPORTED[below]);
      if (below !== undefined && isReached) queue.push(below);
    }
  }
  return [...found].sort();
}

/** Whether the type has an identity of its own: then its apiVersion, kind and metadata are every kind's. */
const isKind = (type: string): boolean =>
  ['apiVersion', 'kind'].every((field) => schema.type(type).field(field)) && !isReference(type);

/** Types that name the kind of another object. */
const isReference = (type: string): boolean => schema.type(type).field('name') !== undefined;

/** Every row that the tables have, in their order. */
export function allRows(): FieldRow[] {
  const written = Object.entries(readers).flatMap(([type, byReader]) =>
    type === EVERY_KIND ? [] : rowsOf(type, byReader),
  );
  const everyKind = servedTypes()
    .filter(isKind)
    .flatMap((type) =>
      rowsOf(type, readers[EVERY_KIND] ?? {}).filter(({ field }) => schema.type(type).field(field)),
    );
  const unsupported = Object.entries(UNSUPPORTED).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, each]): FieldRow => ({ type, field, unsupported: each })),
  );
  return [...everyKind, ...written, ...unsupported];
}

function rowsOf(type: string, byReader: Record<string, string>): FieldRow[] {
  return Object.entries(byReader).flatMap(([reader, fields]) =>
    fields.split(' ').map((field): FieldRow => {
      const why = /^kept: (.*)$/.exec(reader)?.[1];
      return why === undefined ? { type, field, reader } : { type, field, kept: why };
    }),
  );
}
