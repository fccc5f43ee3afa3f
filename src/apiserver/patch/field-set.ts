// Sets of fields of one object, as managedFields record who owns what: a trie of path elements, each written as
// fieldsV1 writes it (`f:spec`, `k:{"name":"web"}`, `v:"a"`). Follows structured-merge-diff's fieldpath package.
import { isStruct, type Struct } from './struct.ts';

/** A field is in the set when it is a member; what is below it is in its child set. */
export class FieldSet {
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;

  constructor(members: ReadonlySet<string> = new Set(), children: ReadonlyMap<string, FieldSet> = new Map()) {
    this.members = members;
    this.children = new Map([...children].filter(([, child]) => !child.empty));
  }

  get empty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  has(element: string): boolean {
    return this.members.has(element);
  }

  /** What the set holds below an element. */
  below(element: string): FieldSet {
    return this.children.get(element) ?? EMPTY;
  }

  union(other: FieldSet): FieldSet {
    if (this.empty) return other;
    if (other.empty) return this;
    const children = new Map(this.children);
    for (const [element, child] of other.children) children.set(element, this.below(element).union(child));
    return new FieldSet(new Set([...this.members, ...other.members]), children);
  }

  intersection(other: FieldSet): FieldSet {
    if (this.empty || other.empty) return EMPTY;
    const children = [...this.children].map(
      ([element, child]) => [element, child.intersection(other.below(element))] as const,
    );
    return new FieldSet(
      new Set([...this.members].filter((element) => other.has(element))),
      new Map(children),
    );
  }

  difference(other: FieldSet): FieldSet {
    if (this.empty || other.empty) return this;
    const children = [...this.children].map(
      ([element, child]) => [element, child.difference(other.below(element))] as const,
    );
    return new FieldSet(
      new Set([...this.members].filter((element) => !other.has(element))),
      new Map(children),
    );
  }

  /** Without an element and everything below it. */
  without(element: string): FieldSet {
    const children = [...this.children].filter(([key]) => key !== element);
    return new FieldSet(new Set([...this.members].filter((key) => key !== element)), new Map(children));
  }

  /** Every path in the set, as lists of elements. */
  paths(): string[][] {
    const elements = [...new Set([...this.members, ...this.children.keys()])].sort();
    return elements.flatMap((element) => [
      ...(this.has(element) ? [[element]] : []),
      ...this.below(element)
        .paths()
        .map((path) => [element, ...path]),
    ]);
  }

  /** As `fieldsV1` holds it. */
  toJSON(): Struct {
    const elements = [...new Set([...this.members, ...this.children.keys()])].sort();
    return Object.fromEntries(
      elements.map((element) => {
        const child = this.children.get(element);
        const dot = child && this.has(element) ? { '.': {} } : {};
        return [element, { ...dot, ...child?.toJSON() }];
      }),
    );
  }

  /** Reads `fieldsV1`; what is no field set is taken as an empty one. */
  static fromJSON(value: unknown): FieldSet {
    if (!isStruct(value)) return EMPTY;
    const members = new Set<string>();
    const children = new Map<string, FieldSet>();
    for (const [element, below] of Object.entries(value)) {
      if (element === '.' || !isStruct(below)) continue;
      const child = FieldSet.fromJSON(below);
      if (child.empty || Object.hasOwn(below, '.')) members.add(element);
      children.set(element, child);
    }
    return new FieldSet(members, children);
  }
}

export const EMPTY = new FieldSet();

/** Collects a set while an object is walked. */
export class FieldSetBuilder {
  readonly #members = new Set<string>();
  readonly #children = new Map<string, FieldSetBuilder>();

  add(element: string): void {
    this.#members.add(element);
  }

  /** The builder of what is below an element. */
  at(element: string): FieldSetBuilder {
    let child = this.#children.get(element);
    if (!child) {
      child = new FieldSetBuilder();
      this.#children.set(element, child);
    }
    return child;
  }

  build(): FieldSet {
    const children = [...this.#children].map(([element, child]) => [element, child.build()] as const);
    return new FieldSet(this.#members, new Map(children));
  }
}

/** A path as error messages write it: `.spec.containers[name="web"].image`. */
export function pathText(path: readonly string[]): string {
  return path
    .map((element) => {
      const content = element.slice(2);
      if (element.startsWith('f:')) return `.${content}`;
      if (element.startsWith('v:')) return `[=${content}]`;
      const keys: unknown = JSON.parse(content);
      const parts = isStruct(keys) ? Object.entries(keys) : [];
      return `[${parts.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
