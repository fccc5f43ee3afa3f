// The one watch on the store that feeds the caches of all resources, and so knows the revision up to which all of
// them are true.
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Store, StoreEvent } from '../../store/store.ts';
import { prefixOf, prefixOfKey, REGISTRY_PREFIX } from '../keys.ts';
import { ResourceCache } from './resource-cache.ts';

export class CacheHub {
  readonly #store: Store;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #endWatch: () => void;
  #revision: number;
  #waiting: { revision: number; resolve: () => void }[] = [];

  constructor(store: Store) {
    this.#store = store;
    this.#revision = store.revision();
    this.#endWatch = store.watch({
      prefix: REGISTRY_PREFIX,
      afterRevision: this.#revision,
      onEvents: (events) => this.#take(events),
    });
  }

  /** Every filled cache is true at this revision. */
  get revision(): number {
    return this.#revision;
  }

  /** The cache of a resource, filled. */
  async of(resource: ResourceDefinition): Promise<ResourceCache> {
    const prefix = prefixOf(resource);
    let cache = this.#caches.get(prefix);
    if (!cache) {
      cache = new ResourceCache(resource, this.#store);
      this.#caches.set(prefix, cache);
    }
    await cache.ready();
    return cache;
  }

  /** Resolves when the caches have seen a revision; at once for stores that tell watchers before writers. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ revision, resolve }));
  }

  #take(events: readonly StoreEvent[]): void {
    for (const event of events) {
      const [key, revision] =
        event.type === 'put' ? [event.entry.key, event.entry.revision] : [event.key, event.revision];
      this.#caches.get(prefixOfKey(key))?.apply(event);
      this.#revision = Math.max(this.#revision, revision);
    }
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter(({ revision }) => revision <= this.#revision);
    this.#waiting = this.#waiting.filter(({ revision }) => revision > this.#revision);
    for (const { resolve } of reached) resolve();
  }

  /** Ends the watch on the store and every watcher. */
  stop(): void {
    this.#endWatch();
    for (const cache of this.#caches.values()) cache.stop();
  }
}
