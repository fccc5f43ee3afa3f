// One informer: the cache of a resource and the handlers that hear of its changes. What the API says comes in
// through `replace` (a list) and `apply` (an event); reflector.ts does the listing and watching.

import { type KubeObject, keyOf, type NamespacedName, nameOf, type Stored } from '../api/objects.ts';
import type { Log } from '../base/log.ts';
import type { Informer, InformerHandlers } from './informers.ts';
import { ObjectCache } from './object-cache.ts';

type Change<T extends KubeObject> =
  | { type: 'added'; object: Stored<T> }
  | { type: 'updated'; object: Stored<T>; old: Stored<T> }
  | { type: 'deleted'; object: Stored<T> };

export class CachingInformer<T extends KubeObject> implements Informer<T> {
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<InformerHandlers<T>>();
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #firstList: Promise<void>;
  #firstListIsIn: () => void = () => {};

  constructor(log: Log, signal: AbortSignal) {
    this.#log = log;
    this.#signal = signal;
    this.#firstList = new Promise((resolve, reject) => {
      const stopped = (): void => reject(new Error('stopped before the first list was in the cache'));
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', stopped, { once: true });
      this.#firstListIsIn = resolve;
    });
    // Nobody may be waiting when the end comes.
    this.#firstList.catch(() => {});
  }

  get(namespace: string | undefined, name: string): Stored<T> | undefined {
    return this.#cache.get(nameOf({ namespace, name }));
  }

  list(namespace?: string): Stored<T>[] {
    return this.#cache.list(namespace);
  }

  byIndex(index: string, value: string): Stored<T>[] {
    return this.#cache.byIndex(index, value);
  }

  addIndex(name: string, valuesOf: (object: T) => string[]): void {
    this.#cache.addIndex(name, valuesOf);
  }

  subscribe(handlers: InformerHandlers<T>): () => void {
    for (const object of this.#cache.list()) this.#call(handlers, { type: 'added', object });
    this.#handlers.add(handlers);
    return () => this.#handlers.delete(handlers);
  }

  synced(): Promise<void> {
    return this.#firstList;
  }

  /** Makes the cache equal to a list; handlers hear of the differences once all of it is in place. */
  replace(objects: readonly Stored<T>[]): void {
    const gone = new Set(this.#cache.keys());
    const changes: Change<T>[] = [];
    for (const object of objects) {
      gone.delete(keyOf(object));
      changes.push(...this.#store(object));
    }
    for (const key of gone) changes.push(...this.#remove(key));
    this.#tell(changes);
    this.#firstListIsIn();
  }

  /** Takes in one event of a watch. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Stored<T>): void {
    this.#tell(type === 'DELETED' ? this.#remove(keyOf(object), object) : this.#store(object));
  }

  #store(object: Stored<T>): Change<T>[] {
    const old = this.#cache.get(keyOf(object));
    if (!old) {
      this.#cache.set(object);
      return [{ type: 'added', object }];
    }
    if (old.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    this.#cache.set(object);
    if (old.metadata.uid === object.metadata.uid) return [{ type: 'updated', object, old }];
    // Another object of the same name: the end of the first was missed.
    return [
      { type: 'deleted', object: old },
      { type: 'added', object },
    ];
  }

  #remove(key: NamespacedName, last = this.#cache.get(key)): Change<T>[] {
    if (!last || !this.#cache.get(key)) return [];
    this.#cache.delete(key);
    return [{ type: 'deleted', object: last }];
  }

  #tell(changes: readonly Change<T>[]): void {
    // Who subscribes meanwhile has been told of the whole cache already.
    const handlers = [...this.#handlers];
    for (const change of changes) {
      for (const handler of handlers) if (this.#handlers.has(handler)) this.#call(handler, change);
    }
  }

  #call(handlers: InformerHandlers<T>, change: Change<T>): void {
    if (this.#signal.aborted) return;
    try {
      if (change.type === 'added') handlers.added?.(change.object);
      else if (change.type === 'updated') handlers.updated?.(change.object, change.old);
      else handlers.deleted?.(change.object);
    } catch (error) {
      this.#log.error('an informer handler failed', error, {
        change: change.type,
        key: keyOf(change.object),
      });
    }
  }
}
