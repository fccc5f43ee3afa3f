// The structural schema of what a server serves: which types there are, with which fields, and what is known of each.
// It is a value: types come and go with their kinds, and another server has another. How objects are decoded, defaulted,
// merged and written by it is elsewhere; whoever makes a plan of a type keeps it with the type.
import type { FieldFacts } from './facts.ts';

/** What a field, an item of a list or a value of a map holds. */
export type FieldSchema = FieldFacts &
  (
    | { type: 'string'; format?: 'byte' | 'date-time' | 'micro-time' }
    | { type: 'integer'; format: 'int32' | 'int64' }
    | { type: 'number' }
    | { type: 'boolean' }
    | { type: 'int-or-string' }
    | { type: 'any' }
    | { type: 'object'; ref: string }
    | { type: 'array'; items: FieldSchema }
    | { type: 'map'; values: FieldSchema }
  );

/** A type as its kind declares it. */
export interface TypeSchema {
  required?: readonly string[];
  properties: Readonly<Record<string, FieldSchema>>;
  /** As Go calls it; by default by its own name. */
  goName?: string;
  /** The Go package that declares it, as OpenAPI names it: `io.k8s.api.apps.v1`. */
  goPackage?: string;
  /** Owned and replaced as a whole, wherever it stands. */
  atomic?: boolean;
  /**
   * The numbers that protobuf has for its fields (upstream's generated.proto): the fields in their order, counted from 1;
   * `17:name` jumps to 17, and `>(a b)` is a message of its own, whose fields stand in this type in JSON. A type without
   * is not written in protobuf.
   */
  numbers?: string;
  /**
   * Fills in, in place, what depends on more than one field (upstream's SetDefaults functions, pkg/apis). The constant
   * defaults are set by then, those of what is below it are not.
   */
  setDefaults?(object: object): void;
  /** What OpenAPI says of the type (under the empty name) and of its fields. */
  descriptions?(): Readonly<Record<string, string>>;
}

/** Types by the names that fields refer to them by. */
export type TypeTable = Readonly<Record<string, TypeSchema>>;

/** Gives a table when it is first needed: not every process that knows a kind decodes objects of it. */
export type TypeSource = () => TypeTable;

/** A type of one schema: what was declared of it, and the way to the types of its fields. */
export class StructType {
  readonly name: string;
  readonly declared: TypeSchema;
  readonly #resolve: (name: string) => StructType;

  constructor(name: string, declared: TypeSchema, resolve: (name: string) => StructType) {
    this.name = name;
    this.declared = declared;
    this.#resolve = resolve;
  }

  get goName(): string {
    return this.declared.goName ?? this.name;
  }

  get fields(): ReadonlyArray<readonly [name: string, schema: FieldSchema]> {
    return Object.entries(this.declared.properties);
  }

  /** Undefined when the type has no such field. */
  field(name: string): FieldSchema | undefined {
    const { properties } = this.declared;
    return Object.hasOwn(properties, name) ? properties[name] : undefined;
  }

  /** The type that a field of this one names. */
  type(name: string): StructType {
    return this.#resolve(name);
  }

  /** The type of the object that a field holds, or holds several of. */
  typeBelow(schema: FieldSchema): StructType | undefined {
    const name = objectTypeOf(schema);
    return name === undefined ? undefined : this.type(name);
  }
}

/** The name of the type of an object that a field holds, or holds several of. */
export function objectTypeOf(schema: FieldSchema): string | undefined {
  if (schema.type === 'object') return schema.ref;
  if (schema.type === 'array') return objectTypeOf(schema.items);
  return schema.type === 'map' ? objectTypeOf(schema.values) : undefined;
}

export class Schema {
  readonly #types = new Map<string, StructType>();
  /** What has been taken up: the names in it, and how many kinds have brought it. */
  readonly #sources = new Map<TypeSource, { names: readonly string[]; users: number }>();

  constructor(sources: Iterable<TypeSource>) {
    for (const source of sources) this.add(source);
  }

  /**
   * Takes up types; what they refer to must be among them, or there when it is needed. What several kinds share is taken
   * up once. Throws for a name that is taken: objects of the type may be there.
   */
  add(source: TypeSource): void {
    const known = this.#sources.get(source);
    if (known) {
      known.users++;
      return;
    }
    const table = Object.entries(source());
    const taken = table.find(([name]) => this.#types.has(name))?.[0];
    if (taken !== undefined) throw new Error(`the schema has a type "${taken}" already: choose another name`);
    // Requests that are under way when the kind goes still find what is theirs.
    const own = new Map<string, StructType>();
    const resolve = (name: string): StructType => own.get(name) ?? this.type(name);
    for (const [name, declared] of table) own.set(name, new StructType(name, declared, resolve));
    for (const [name, type] of own) this.#types.set(name, type);
    this.#sources.set(source, { names: [...own.keys()], users: 1 });
  }

  /** Forgets types, once they have been removed as often as they were added. */
  remove(source: TypeSource): void {
    const known = this.#sources.get(source);
    if (!known) return;
    known.users--;
    if (known.users > 0) return;
    this.#sources.delete(source);
    for (const name of known.names) this.#types.delete(name);
  }

  /** The type of that name. Throws when there is none: the name comes from a kind's definition, never from a request. */
  type(name: string): StructType {
    const type = this.#types.get(name);
    if (!type) throw new Error(`the schema has no type "${name}": declare it with the kind that uses it`);
    return type;
  }

  /** The type of a name that a request may have chosen. */
  find(name: string): StructType | undefined {
    return this.#types.get(name);
  }
}

/** What is made of a type on first use, and kept as long as the type is. */
export function perType<T extends object | boolean>(make: (type: StructType) => T): (type: StructType) => T {
  const made = new WeakMap<StructType, T>();
  return (type) => {
    let value = made.get(type);
    if (value === undefined) {
      value = make(type);
      made.set(type, value);
    }
    return value;
  };
}
