// What there is to know of a field beside its type: upstream's pointers, defaults, enums, list and patch markers
// (kubernetes/api, types.go of each group). Here are their form and the words for the frequent ones; which field has
// which is written with its kind.

/** Which strings a value is one of. OpenAPI shows them, and decoding names the type; validation says what is refused. */
export interface EnumType {
  /** The Go type's name. */
  name: string;
  values: readonly string[];
}

export type Constant = string | number | boolean | Readonly<Record<string, never>>;

export interface FieldFacts {
  /**
   * Whether the field is there with a zero value: `pointer`, a zero is a value of its own, and kept; `embedded`, a struct
   * held by value, always there, if only as `{}`; `written`, a scalar that is written even when zero, though it need not
   * be given. Otherwise a zero value means the same as none, and is left out.
   */
  presence?: 'pointer' | 'embedded' | 'written';
  /** What it is when it is left out. */
  default?: Constant;
  /** Of a string, or of the strings in a list. */
  enum?: EnumType;
  /** Whether the strings in it are quantities. */
  quantity?: true;
  /** What tells the items of a list apart that is merged item by item (`x-kubernetes-list-type: map`). */
  listKeys?: readonly string[];
  /** A list of scalars without order or duplicates (`x-kubernetes-list-type: set`). Other lists are one whole. */
  set?: true;
  /** A map that is owned and replaced as a whole (`x-kubernetes-map-type: atomic`). */
  atomic?: true;
  /** How a strategic merge patch treats it (`x-kubernetes-patch-strategy`); else lists are replaced, structs merged. */
  patch?: 'merge' | 'merge,retainKeys' | 'replace';
  /** The field that tells the items of the list apart in such a patch; lists of scalars have none. */
  mergeKey?: string;
  /**
   * Kept as the client wrote it: typed and pruned, but without defaults or empty structs added. Upstream fills in claim
   * templates, and kubectl, which compares that list whole, then reports `configured` for every apply of an unchanged
   * StatefulSet. A claim gets its defaults when it is made from the template.
   */
  verbatim?: true;
}

export const pointer: FieldFacts = { presence: 'pointer' };
export const embedded: FieldFacts = { presence: 'embedded' };
export const written: FieldFacts = { presence: 'written' };
export const quantity: FieldFacts = { quantity: true };

/** A list that is merged by key, by apply and by patches alike; patches look at the first key only. */
export function mergedBy(key: string, ...others: string[]): FieldFacts {
  return { listKeys: [key, ...others], patch: 'merge', mergeKey: key };
}

export function enumType(name: string, ...values: string[]): EnumType {
  return { name, values };
}
