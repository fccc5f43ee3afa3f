// Sets of fields of one object, as managedFields record who owns what: a trie of path elements, each written as
// fieldsV1 writes it (`f:spec`, `k:{"name":"web"}`, `v:"a"`). Follows structured-merge-diff's fieldpath package.
import { isStruct, type Struct } from '../../base/struct.ts';

const NOTHING: Struct = Object.freeze({});

/** A field is in the set when it is a member; what is below it is in its child set. */
export class FieldSet {
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;

  /** Children that are empty are left out. */
  constructor(members: ReadonlySet<string> = new Set(), children: ReadonlyMap<string, FieldSet> = new Map()) {
    this.members = members;
    let kept = children;
    for (const [, child] of children) {
      if (!child.empty) continue;
      kept = new Map([...children].filter(([, each]) => !each.empty));
      break;
    }
    this.children = kept;
  }

  get empty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  /** How many fields it names, and those on the way to them. */
  get size(): number {
    let size = this.members.size;
    for (const child of this.children.values()) size += 1 + child.size;
    return size;
  }

  has(element: string): boolean {
    return this.members.has(element);
  }

  /** What the set holds below an element. */
  below(element: string): FieldSet {
    return this.children.get(element) ?? EMPTY;
  }

  /** This very set when the other adds nothing. */
  union(other: FieldSet): FieldSet {
    if (this.empty) return other;
    const more = [...other.members].filter((element) => !this.has(element));
    const grown = new Map<string, FieldSet>();
    for (const [element, child] of other.children) {
      const before = this.below(element);
      const after = before.union(child);
      if (after !== before) grown.set(element, after);
    }
    if (more.length === 0 && grown.size === 0) return this;
    return new FieldSet(
      more.length === 0 ? this.members : new Set([...this.members, ...more]),
      grown.size === 0 ? this.children : new Map([...this.children, ...grown]),
    );
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

  /** This very set when the other takes nothing from it. */
  difference(other: FieldSet): FieldSet {
    if (this.empty || other.empty) return this;
    const members = [...this.members].filter((element) => !other.has(element));
    const children = new Map<string, FieldSet>();
    let same = members.length === this.members.size;
    for (const [element, child] of this.children) {
      const left = child.difference(other.below(element));
      if (left !== child) same = false;
      if (!left.empty) children.set(element, left);
    }
    return same ? this : new FieldSet(new Set(members), children);
  }

  /** Without an element and everything below it. */
  without(element: string): FieldSet {
    if (!this.members.has(element) && !this.children.has(element)) return this;
    const children = [...this.children].filter(([key]) => key !== element);
    return new FieldSet(new Set([...this.members].filter((key) => key !== element)), new Map(children));
  }

  /** Every path in the set, as lists of elements. */
  paths(): string[][] {
    return this.#elements().flatMap((element) => [
      ...(this.has(element) ? [[element]] : []),
      ...this.below(element)
        .paths()
        .map((path) => [element, ...path]),
    ]);
  }

  /** As `fieldsV1` holds it. */
  toJSON(): Struct {
    const json: Struct = {};
    // Every element has a prefix: none can be `__proto__`.
    for (const element of this.#elements()) {
      const child = this.children.get(element);
      const below = child ? child.toJSON() : NOTHING;
      json[element] = child && this.has(element) ? { '.': {}, ...below } : below;
    }
    return json;
  }

  /** Members and children, in order. */
  #elements(): string[] {
    const elements = [...this.members];
    for (const element of this.children.keys()) if (!this.has(element)) elements.push(element);
    return elements.sort();
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
    const children = new Map<string, FieldSet>();
    for (const [element, builder] of this.#children) {
      const child = builder.build();
      if (!child.empty) children.set(element, child);
    }
    return this.#members.size === 0 && children.size === 0 ? EMPTY : new FieldSet(this.#members, children);
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
