// The structural schema of every wire type: which fields there are, of what type. It is read from the generated
// schema.json on first use; what that file does not know (list keys, enums, defaults, …) is in facts/.
import { readFileSync } from 'node:fs';

/** What a field, an item of a list or a value of a map holds. */
export type FieldSchema =
  | { type: 'string'; format?: 'byte' | 'date-time' | 'micro-time' }
  | { type: 'integer'; format: 'int32' | 'int64' }
  | { type: 'number' }
  | { type: 'boolean' }
  | { type: 'int-or-string' }
  | { type: 'any' }
  | { type: 'object'; ref: string }
  | { type: 'array'; items: FieldSchema }
  | { type: 'map'; values: FieldSchema };

export interface TypeSchema {
  required?: readonly string[];
  properties: Readonly<Record<string, FieldSchema>>;
}

let types: Map<string, TypeSchema> | undefined;

function allTypes(): Map<string, TypeSchema> {
  if (!types) {
    const text = readFileSync(new URL('../generated/schema.json', import.meta.url), 'utf8');
    const table: Record<string, TypeSchema> = JSON.parse(text);
    types = new Map(Object.entries(table));
  }
  return types;
}

/**
 * Takes up the types of a resource that is added while the server runs, by name; what they refer to must be among them
 * or known. Throws for a name that is taken: objects of the type may be there.
 */
export function addTypes(table: Readonly<Record<string, TypeSchema>>): void {
  const known = allTypes();
  for (const name of Object.keys(table)) {
    if (known.has(name)) throw new Error(`the schema has a type "${name}" already: choose another name`);
  }
  for (const [name, type] of Object.entries(table)) known.set(name, type);
}

/** The type of that name. Throws when there is none: the name comes from our own tables, never from a request. */
export function typeSchema(name: string): TypeSchema {
  const type = allTypes().get(name);
  if (!type) throw new Error(`the schema has no type "${name}"`);
  return type;
}

/** The schema of one field; undefined when the type has no such field. */
export function fieldSchema(typeName: string, field: string): FieldSchema | undefined {
  const { properties } = typeSchema(typeName);
  return Object.hasOwn(properties, field) ? properties[field] : undefined;
}
