// The one watch on the store that feeds the caches of all resources, and so knows the revision up to which all of
// them are true. A watch that ends begins again where it was, or, when what came meanwhile is forgotten, with caches
// that are filled anew.
import type { ResourceDefinition } from '../../api/resource.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import { CompactedError, type Store, type StoreEvent } from '../../store/store.ts';
import { prefixOf, prefixOfKey, REGISTRY_PREFIX } from '../keys.ts';
import { ResourceCache } from './resource-cache.ts';

/** Between attempts to reach a store that is lost, ms: doubled from the first to the last. */
const RETRY_MS = { first: 50, last: 5_000 };

export class CacheHub {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #stop = new AbortController();
  readonly #started: Promise<void>;
  #endWatch: () => void = () => {};
  #revision = 0;
  #failures = 0;
  #waiting: { revision: number; resolve: () => void; reject: (reason: Error) => void }[] = [];

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#started = this.#start();
    // Whoever asks for a cache is told.
    this.#started.catch(() => {});
  }

  /** Every filled cache is true at this revision. */
  get revision(): number {
    return this.#revision;
  }

  /** The cache of a resource, filled; what others have written just now may not be in it yet. */
  async of(resource: ResourceDefinition): Promise<ResourceCache> {
    await this.#started;
    const prefix = prefixOf(resource);
    let cache = this.#caches.get(prefix);
    // What is kept of a definition that has been replaced is of its types.
    if (cache?.resource !== resource) {
      cache?.stop();
      cache = new ResourceCache(resource, this.#store);
      this.#caches.set(prefix, cache);
    }
    // A list that is newer than the watch has come is waited for: all caches are true at one revision.
    await this.reached(await cache.ready());
    return cache;
  }

  /** Forgets what it keeps of a resource, and ends the watches on it. */
  drop(resource: ResourceDefinition): void {
    const prefix = prefixOf(resource);
    this.#caches.get(prefix)?.stop();
    this.#caches.delete(prefix);
  }

  /** Resolves when the caches have seen a revision; rejects when the hub is stopped before. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    if (this.#stop.signal.aborted) return Promise.reject(stopped());
    return new Promise((resolve, reject) => this.#waiting.push({ revision, resolve, reject }));
  }

  /** Resolves when the caches have seen everything that was written, by whomever, before the call. */
  async newest(): Promise<void> {
    await this.#started;
    await this.reached(await this.#store.revision());
  }

  /** A store that cannot be reached yet is waited for: one that answers later must find a server that works. */
  async #start(): Promise<void> {
    await this.#untilRead(async () => this.#came(await this.#store.revision()));
    if (this.#stop.signal.aborted) throw stopped();
    this.#watch();
  }

  /** Reads the store, and tries again until that succeeds or the hub is stopped. */
  async #untilRead(read: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        return await read();
      } catch (error) {
        this.#log.warn('the store cannot be read, trying again', { why: errorText(error) });
        await sleep(this.#clock, this.#backOffMs(), signal);
      }
    }
  }

  #watch(): void {
    if (this.#stop.signal.aborted) return;
    this.#endWatch = this.#store.watch({
      prefix: REGISTRY_PREFIX,
      afterRevision: this.#revision,
      onEvents: (events) => this.#take(events),
      onProgress: (revision) => this.#came(revision),
      onEnd: (reason) => void this.#begin(reason),
    });
  }

  /** Begins anew after a watch that has ended by itself. */
  async #begin(reason: Error): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    if (reason instanceof CompactedError) {
      this.#log.warn('what the store has told meanwhile is forgotten; reading it anew', {
        revision: this.#revision,
      });
      await this.#fillAnew();
    } else {
      if (this.#failures === 0) this.#log.warn('the store is lost, trying again', { why: reason.message });
      await sleep(this.#clock, this.#backOffMs(), signal);
    }
    this.#watch();
  }

  /** Reads what is there now in place of what was missed. Those who watch are sent away, to list again. */
  #fillAnew(): Promise<void> {
    return this.#untilRead(async () => {
      const revision = await this.#store.revision();
      await Promise.all([...this.#caches.values()].map((cache) => cache.fillAnew()));
      this.#came(revision);
    });
  }

  #backOffMs(): number {
    return Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** this.#failures++);
  }

  #take(events: readonly StoreEvent[]): void {
    let revision = this.#revision;
    for (const event of events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      revision = event.type === 'put' ? event.entry.revision : event.revision;
      this.#caches.get(prefixOfKey(key))?.apply(event);
    }
    this.#came(revision);
  }

  /** The watch has told everything up to a revision. */
  #came(revision: number): void {
    this.#failures = 0;
    this.#revision = Math.max(this.#revision, revision);
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter((waiting) => waiting.revision <= this.#revision);
    this.#waiting = this.#waiting.filter((waiting) => waiting.revision > this.#revision);
    for (const { resolve } of reached) resolve();
  }

  /** Ends the watch on the store and every watcher; nobody waits any longer. */
  stop(): void {
    this.#stop.abort();
    this.#endWatch();
    for (const cache of this.#caches.values()) cache.stop();
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
  }
}

const stopped = (): Error => new Error('the API server is stopping');
