// The schemas of the documents: each type with its fields, their descriptions, and the extensions that clients read
// (patch and list semantics, the kinds a type is). OpenAPI 2 and 3 differ only in how they refer to other schemas.
import type { FieldSchema, Schema, StructType } from '../../api/schema/schema.ts';
import {
  definitionName,
  FIELDS_V1,
  INT_OR_STRING,
  MICRO_TIME,
  PATCH,
  QUANTITY,
  RAW_EXTENSION,
  TIME,
} from './names.ts';

export type Json = string | number | boolean | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Dialect = 'v2' | 'v3';

export interface Kind {
  group: string;
  version: string;
  kind: string;
}

/** What is said of the fields of a type, and under the empty name of itself. */
function descriptionsOf({ declared }: StructType): Readonly<Record<string, string>> {
  return declared.descriptions?.() ?? {};
}

/** The models say nothing of fields that hold a struct; what the struct itself says is better than nothing. */
function descriptionOfType(owner: StructType, schema: FieldSchema): string {
  return schema.type === 'object' ? (descriptionsOf(owner.type(schema.ref))[''] ?? '') : '';
}

/** What is not a type of the schema, but has a name of its own in the documents. */
function wellKnown(dialect: Dialect): JsonObject {
  const either = (first: string, second: string): JsonObject =>
    dialect === 'v2' ? { type: 'string' } : { oneOf: [{ type: first }, { type: second }] };
  return {
    [QUANTITY]: {
      description:
        'Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML: a number with an SI suffix (m, k, M, G, …), a binary suffix (Ki, Mi, Gi, …) or a decimal exponent.',
      ...either('string', 'number'),
    },
    [INT_OR_STRING]: {
      description: 'IntOrString is a type that can hold an int32 or a string.',
      format: 'int-or-string',
      ...either('integer', 'string'),
    },
    [TIME]: {
      description: 'Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.',
      format: 'date-time',
      type: 'string',
    },
    [MICRO_TIME]: {
      description: 'MicroTime is version of Time with microsecond level precision.',
      format: 'date-time',
      type: 'string',
    },
    [FIELDS_V1]: {
      description: 'FieldsV1 stores a set of fields in a data structure like a Trie, in JSON format.',
      type: 'object',
    },
    [RAW_EXTENSION]: {
      description: 'RawExtension is used to hold extensions in external versions.',
      type: 'object',
    },
    [PATCH]: {
      description: 'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
      type: 'object',
    },
  };
}

/** Collects the schemas that a document needs: those asked for and all that they refer to. */
export class Definitions {
  readonly #dialect: Dialect;
  readonly #schema: Schema;
  readonly #kinds: ReadonlyMap<string, readonly Kind[]>;
  readonly #schemas: JsonObject = {};

  /** @param kinds a type's name → the kinds that it is served as. */
  constructor(dialect: Dialect, schema: Schema, kinds: ReadonlyMap<string, readonly Kind[]>) {
    this.#dialect = dialect;
    this.#schema = schema;
    this.#kinds = kinds;
  }

  /** All schemas collected, by name. */
  schemas(): JsonObject {
    return Object.fromEntries(Object.entries(this.#schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #reference(name: string): JsonObject {
    return { $ref: this.#dialect === 'v2' ? `#/definitions/${name}` : `#/components/schemas/${name}` };
  }

  /** Refers to a type of that name, and sees to it that the document has it. */
  type(typeName: string): JsonObject {
    return this.#type(this.#schema.type(typeName));
  }

  #type(type: StructType): JsonObject {
    const name = definitionName(type);
    if (!Object.hasOwn(this.#schemas, name)) {
      this.#schemas[name] = {};
      this.#schemas[name] = this.#definition(type);
    }
    return this.#reference(name);
  }

  /** Refers to a schema that is not a type of its own: quantities, times, patches. */
  wellKnown(name: string): JsonObject {
    const schema = wellKnown(this.#dialect)[name];
    if (schema !== undefined) this.#schemas[name] ??= schema;
    return this.#reference(name);
  }

  /** Refers to the list of a kind. */
  list(typeName: string, kind: Kind): JsonObject {
    const name = `${definitionName(this.#schema.type(typeName))}List`;
    const text = (description: string): JsonObject => ({ description, type: 'string' });
    const common = descriptionsOf(this.#schema.type('Status'));
    this.#schemas[name] ??= {
      description: `${kind.kind}List is a list of ${kind.kind} objects.`,
      properties: {
        apiVersion: text(common.apiVersion ?? ''),
        items: {
          description: `items is the list of ${kind.kind} objects.`,
          items: this.#referring(this.type(typeName), ''),
          type: 'array',
        },
        kind: text(common.kind ?? ''),
        metadata: this.#referring(this.type('ListMeta'), 'Standard list metadata.'),
      },
      required: ['items'],
      type: 'object',
      'x-kubernetes-group-version-kind': [{ ...kind, kind: `${kind.kind}List` }],
    };
    return this.#reference(name);
  }

  #definition(type: StructType): JsonObject {
    const { required, atomic } = type.declared;
    const descriptions = descriptionsOf(type);
    const kinds = this.#kinds.get(type.name);
    const fields = type.fields.map(([field, schema]): [string, Json] => [
      field,
      this.#field(type, schema, descriptions[field] ?? descriptionOfType(type, schema)),
    ]);
    return {
      description: descriptions[''] ?? '',
      ...(fields.length > 0 && { properties: Object.fromEntries(fields) }),
      ...(required && { required: [...required] }),
      type: 'object',
      ...(kinds && { 'x-kubernetes-group-version-kind': kinds.map((kind): Json => ({ ...kind })) }),
      ...(atomic && { 'x-kubernetes-map-type': 'atomic' }),
    };
  }

  #field(owner: StructType, schema: FieldSchema, description: string): JsonObject {
    const field: JsonObject = { ...this.#value(owner, schema, description), ...extensionsOf(schema) };
    return description ? { description, ...field } : field;
  }

  /** A reference with something beside it, which OpenAPI 3 does not allow in one object. */
  #referring(reference: JsonObject, description: string): JsonObject {
    if (this.#dialect === 'v2') return description ? { description, ...reference } : reference;
    return description
      ? { allOf: [reference], default: {}, description }
      : { allOf: [reference], default: {} };
  }

  #value(owner: StructType, schema: FieldSchema, description: string): JsonObject {
    switch (schema.type) {
      case 'object':
        return this.#referring(this.#type(owner.type(schema.ref)), description);
      case 'array':
        return { items: this.#value(owner, schema.items, ''), type: 'array' };
      case 'map':
        return { additionalProperties: this.#value(owner, schema.values, ''), type: 'object' };
      case 'int-or-string':
        return this.#named(INT_OR_STRING, description);
      case 'any':
        return this.#named(owner.name === 'ManagedFieldsEntry' ? FIELDS_V1 : RAW_EXTENSION, description);
      case 'integer':
        return { format: schema.format, type: 'integer' };
      case 'number':
        return { format: 'double', type: 'number' };
      case 'boolean':
        return { type: 'boolean' };
      case 'string': {
        if (schema.format === 'date-time') return this.#named(TIME, description);
        if (schema.format === 'micro-time') return this.#named(MICRO_TIME, description);
        if (schema.format === 'byte') return { format: 'byte', type: 'string' };
        if (schema.quantity) return this.#named(QUANTITY, description);
        const { enum: names } = schema;
        return names ? { enum: [...names.values].sort(), type: 'string' } : { type: 'string' };
      }
    }
  }

  #named(name: string, description: string): JsonObject {
    const reference = this.wellKnown(name);
    if (this.#dialect === 'v2' || !description) return reference;
    return { allOf: [reference], description };
  }
}

/** What clients that merge objects read of a field. */
function extensionsOf({ type, listKeys, set, atomic, patch, mergeKey }: FieldSchema): JsonObject {
  const listType = listKeys ? 'map' : set ? 'set' : 'atomic';
  return {
    ...(listKeys && { 'x-kubernetes-list-map-keys': [...listKeys] }),
    ...(type === 'array' && { 'x-kubernetes-list-type': listType }),
    ...(atomic && { 'x-kubernetes-map-type': 'atomic' }),
    ...(mergeKey && { 'x-kubernetes-patch-merge-key': mergeKey }),
    ...(patch && { 'x-kubernetes-patch-strategy': patch }),
  };
}
