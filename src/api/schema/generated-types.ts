// Types that upstream publishes: their fields as they were generated from the official client's models, put together
// with what those models do not hold. The generated files are read on first use; scripts/generate.mjs generates the
// types that some kind's folder names in a call of `generatedTypes`.
import { readFileSync } from 'node:fs';
import { packageFile } from '../../base/package-files.ts';
import { present } from '../../base/present.ts';
import type { WireTypes } from '../generated/types.ts';
import type { FieldFacts } from './facts.ts';
import type { FieldSchema, TypeSchema, TypeSource } from './schema.ts';

type Structure = Pick<TypeSchema, 'required' | 'properties'>;
type Descriptions = Readonly<Record<string, string>>;

/** What a kind's folder says of a type. `opaque`: what is inside is nobody's business, and kept as it comes. */
type Facts<Object, Field extends PropertyKey> =
  | 'opaque'
  | (Pick<TypeSchema, 'goName' | 'atomic' | 'numbers'> & {
      fields?: { readonly [Name in Field]?: FieldFacts };
      setDefaults?(object: Object): void;
    });

type FactsByName = { readonly [Name in keyof WireTypes]?: Facts<WireTypes[Name], keyof WireTypes[Name]> };

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function generated<T>(file: string): () => T {
  return once(() => JSON.parse(readFileSync(packageFile(`dist/src/api/generated/${file}`), 'utf8')));
}

const structures = generated<Readonly<Record<string, Structure>>>('schema.json');
const descriptions = generated<Readonly<Record<string, Descriptions>>>('descriptions.json');

/** The fields of a type as they were generated, without what is known of them. Throws for a type that was not. */
function generatedStructure(name: string): Structure {
  const structure = structures()[name];
  if (!structure) throw new Error(`the type "${name}" was not generated: build anew`);
  return structure;
}

/** Puts what is known of a field where it belongs: of its strings, with the strings. */
function withFacts(schema: FieldSchema, facts: FieldFacts): FieldSchema {
  const { enum: names, quantity, ...own } = facts;
  const ofStrings: FieldFacts = present({ enum: names, quantity });
  if (schema.type === 'array') return { ...schema, ...own, items: withFacts(schema.items, ofStrings) };
  if (schema.type === 'map') return { ...schema, ...own, values: withFacts(schema.values, ofStrings) };
  return { ...schema, ...facts };
}

/**
 * The table of some published types.
 * @param goPackage that declares them, as OpenAPI names it.
 * @param facts by the type's name, what is to be known beside its fields.
 * @returns a function that reads the table on first use, and then gives the same one.
 */
export function generatedTypes(goPackage: string, facts: FactsByName): TypeSource {
  const known: Readonly<Record<string, Facts<object, string> | undefined>> = facts;
  return once(() => {
    const types = Object.entries(known).flatMap(([name, declared]): [string, TypeSchema][] => {
      if (!declared || declared === 'opaque') return [];
      const { fields = {}, ...rest } = declared;
      const { properties, ...structure } = generatedStructure(name);
      const complete = Object.entries(properties).map(([field, schema]): [string, FieldSchema] => {
        const own = fields[field];
        return [field, own ? withFacts(schema, own) : schema];
      });
      const type = { ...structure, ...rest, goPackage, properties: Object.fromEntries(complete) };
      return [[name, { ...type, descriptions: () => descriptions()[name] ?? {} }]];
    });
    return Object.fromEntries(types);
  });
}
