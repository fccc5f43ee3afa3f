// The cache behind an informer: the objects of one resource by key, and the indexes over them. It knows nothing
// of lists, watches or handlers.
import { type KubeObject, keyOf, type NamespacedName, type Stored } from '../api/objects.ts';

type Bucket<T extends KubeObject> = Map<NamespacedName, Stored<T>>;

interface Index<T extends KubeObject> {
  valuesOf(object: T): string[];
  buckets: Map<string, Bucket<T>>;
}

const byNamespace = (object: KubeObject): string[] => [object.metadata.namespace ?? ''];

/** Objects by `namespace/name`. Reading an index costs what it returns; a change costs its index values. */
export class ObjectCache<T extends KubeObject> {
  readonly #objects: Bucket<T> = new Map();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #namespaces: Index<T> = { valuesOf: byNamespace, buckets: new Map() };

  get(key: NamespacedName): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  /** All of a namespace; all there are if it is undefined. */
  list(namespace?: string): Stored<T>[] {
    const bucket = namespace === undefined ? this.#objects : this.#namespaces.buckets.get(namespace);
    return bucket ? [...bucket.values()] : [];
  }

  /** @throws Error if there is no index of that name: it was never added. */
  byIndex(name: string, value: string): Stored<T>[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`no index "${name}" was added`);
    const bucket = index.buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  }

  /** Adds an index, and fills it with what is there; a second one of the same name changes nothing. */
  addIndex(name: string, valuesOf: (object: T) => string[]): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { valuesOf, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  keys(): IterableIterator<NamespacedName> {
    return this.#objects.keys();
  }

  set(object: Stored<T>): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#all()) {
      const values = enter(index, key, object);
      if (old) leave(index, key, old, new Set(values));
    }
  }

  delete(key: NamespacedName): void {
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    for (const index of this.#all()) leave(index, key, old);
  }

  *#all(): Generator<Index<T>> {
    yield this.#namespaces;
    yield* this.#indexes.values();
  }
}

const NONE: ReadonlySet<string> = new Set();

/** Returns the values under which the object is now found. */
function enter<T extends KubeObject>(index: Index<T>, key: NamespacedName, object: Stored<T>): string[] {
  const values = index.valuesOf(object);
  for (const value of values) {
    const bucket = index.buckets.get(value);
    if (bucket) bucket.set(key, object);
    else index.buckets.set(value, new Map([[key, object]]));
  }
  return values;
}

function leave<T extends KubeObject>(
  index: Index<T>,
  key: NamespacedName,
  object: Stored<T>,
  except: ReadonlySet<string> = NONE,
): void {
  for (const value of index.valuesOf(object)) {
    if (except.has(value)) continue;
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
}
