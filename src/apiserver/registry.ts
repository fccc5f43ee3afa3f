// The generic registry: reads objects from the watch cache and writes them to the store, for every resource alike.
// What a write means (defaults, admission, strategy) is decided in verbs/; here it is a compare-and-set.

import { alreadyExists, internal, notFound, pathNotFound, StatusError, timeout } from '../api/errors.ts';
import type { KubeObject, ObjectKey, Stored } from '../api/objects.ts';
import { apiVersionOf, groupResourceOf, type ResourceDefinition } from '../api/resource.ts';
import { schemaOf } from '../api/resources/schema.ts';
import type { Schema, StructType, TypeSource } from '../api/schema/schema.ts';
import type { Clock, Random } from '../base/clock.ts';
import { deepFreeze } from '../base/deep-freeze.ts';
import type { Log } from '../base/log.ts';
import { type Store, StoreFullError, type WriteResult } from '../store/store.ts';
import { CacheHub } from './cache/hub.ts';
import type { ResourceCache } from './cache/resource-cache.ts';
import { encodeStored, seal } from './codec.ts';
import { storeKey } from './keys.ts';
import { requireStorable } from './object-size.ts';
import { VersionNames } from './patch/version-names.ts';

export interface RegistryParts {
  store: Store;
  clock: Clock;
  random: Random;
  log: Log;
  resources: readonly ResourceDefinition[];
}

export class Registry {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hub: CacheHub;
  /** The types of everything that is served. */
  readonly schema: Schema = schemaOf([]);
  readonly #resources = new Map<string, ResourceDefinition>();
  /** Stored resource → the other versions that it is served in. */
  readonly #versions = new Map<
    ResourceDefinition,
    { others: readonly ResourceDefinition[]; names: VersionNames }
  >();

  constructor({ store, clock, random, log, resources }: RegistryParts) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.log = log;
    this.hub = new CacheHub(store, clock, log.named('cache'));
    // Versions come after what they are stored as, wherever they stand in the table.
    for (const resource of resources) if (!resource.storedAs) this.addResource(resource);
    for (const resource of resources) if (resource.storedAs) this.addResource(resource);
  }

  /**
   * Keeps objects of one more resource, or serves what is kept in one more version. Throws for a type whose name is
   * taken, and for a version of something that is not kept; then nothing has changed.
   */
  addResource(resource: ResourceDefinition): void {
    const stored = resource.storedAs?.resource;
    if (stored && this.resource(stored.group, stored.plural) !== stored)
      throw new Error(
        `${groupResourceOf(resource)} is stored as something that is not served: add that first`,
      );
    const added: TypeSource[] = [];
    try {
      for (const types of resource.types) {
        this.schema.add(types);
        added.push(types);
      }
    } catch (error) {
      for (const types of added) this.schema.remove(types);
      throw error;
    }
    if (stored) this.#changeVersions(stored, [...this.#versionsOf(stored), resource]);
    else this.#resources.set(`${resource.group}/${resource.plural}`, resource);
  }

  /** Ends the watches on a resource, and forgets it and its types. Its objects stay in the store. */
  removeResource(resource: ResourceDefinition): void {
    const stored = resource.storedAs?.resource;
    if (stored) {
      const others = this.#versionsOf(stored).filter((each) => each !== resource);
      this.#changeVersions(stored, others);
    } else {
      this.#resources.delete(`${resource.group}/${resource.plural}`);
      this.hub.drop(resource);
    }
    for (const types of resource.types) this.schema.remove(types);
  }

  #versionsOf(stored: ResourceDefinition): readonly ResourceDefinition[] {
    return this.#versions.get(stored)?.others ?? [];
  }

  #changeVersions(stored: ResourceDefinition, others: readonly ResourceDefinition[]): void {
    const renamed = others.map((each) => [apiVersionOf(each), each.storedAs?.renamed ?? {}] as const);
    this.#versions.set(stored, { others, names: new VersionNames(Object.fromEntries(renamed)) });
  }

  /** The names that fields have in the versions of a resource's kind; undefined for a kind that has one version. */
  versionsOf(resource: ResourceDefinition): VersionNames | undefined {
    return this.#versions.get(resource.storedAs?.resource ?? resource)?.names;
  }

  /** The resource of a group and plural, in the version that is stored. */
  resource(group: string, plural: string): ResourceDefinition | undefined {
    return this.#resources.get(`${group}/${plural}`);
  }

  /** The type of a resource's objects. */
  typeOf(resource: ResourceDefinition): StructType {
    return this.schema.type(resource.schema);
  }

  /** The cache of a resource, with all that was written before the call: by this server, or by another on its store. */
  async cache(resource: ResourceDefinition): Promise<ResourceCache> {
    await this.hub.newest();
    return this.recent(resource);
  }

  /**
   * The cache of a resource as this server knows it: what another has written just now may be missing. Throws NotFound
   * for a resource that is no longer served: who asks may have begun before it went.
   */
  recent(resource: ResourceDefinition): Promise<ResourceCache> {
    const isServed = this.resource(resource.group, resource.plural) === resource;
    return isServed ? this.hub.of(resource) : Promise.reject(pathNotFound());
  }

  /** The object, or undefined. */
  async find(resource: ResourceDefinition, key: ObjectKey): Promise<Stored | undefined> {
    const cache = await this.cache(resource);
    const found = cache.get(key.namespace, key.name);
    if (!found || !resource.outline) return found;
    return (await cache.whole([found]))[0];
  }

  /** The object. Throws NotFound. */
  async get(resource: ResourceDefinition, key: ObjectKey): Promise<Stored> {
    const object = await this.find(resource, key);
    if (!object) throw notFound(resource, key.name);
    return object;
  }

  /**
   * Resolves when what is read is not older than a revision. Throws Timeout when a client asks for a state newer than there
   * is, as after a restore from a backup.
   */
  async requireRevision(revision: bigint): Promise<void> {
    if (revision <= this.hub.revision) return;
    const newest = await this.store.revision();
    if (revision <= newest) return this.hub.reached(Number(revision));
    const error = timeout(`Too large resource version: ${revision}, current: ${newest}`, 1);
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
    throw new StatusError({ ...error.status, details: { ...error.status.details, causes } });
  }

  /** Writes a new object. Throws AlreadyExists. */
  async create(resource: ResourceDefinition, object: KubeObject, dryRun: boolean): Promise<Stored> {
    const key = keyOfNew(object);
    if (dryRun) {
      if (await this.find(resource, key)) throw alreadyExists(resource, key.name);
      return deepFreeze(object) as Stored;
    }
    const written = await this.#put(resource, key, object, 0);
    if (!written) throw alreadyExists(resource, key.name);
    return written;
  }

  /** Writes an object over the version it was made from; undefined when that is no longer the newest. */
  async replace(
    resource: ResourceDefinition,
    current: Stored,
    next: KubeObject,
    dryRun: boolean,
  ): Promise<Stored | undefined> {
    if (dryRun) {
      const { resourceVersion } = current.metadata;
      return deepFreeze({ ...next, metadata: { ...next.metadata, resourceVersion } }) as Stored;
    }
    return this.#put(resource, current.metadata, next, Number(current.metadata.resourceVersion));
  }

  /** Removes a version of an object; false when it is no longer the newest. */
  async remove(resource: ResourceDefinition, current: Stored, dryRun: boolean): Promise<boolean> {
    if (dryRun) return true;
    const { metadata } = current;
    const key = storeKey(resource, metadata);
    const result = await storing(() => this.store.delete(key, Number(metadata.resourceVersion)));
    if (!result.ok) return this.#lost(result);
    await this.hub.reached(result.revision);
    return true;
  }

  async #put(
    resource: ResourceDefinition,
    key: ObjectKey,
    object: KubeObject,
    expectedRevision: number,
  ): Promise<Stored | undefined> {
    const cache = await this.recent(resource);
    const value = encodeStored(object);
    requireStorable(resource, this.typeOf(resource), object, value.length);
    const result = await storing(() => this.store.put(storeKey(resource, key), value, expectedRevision));
    if (!result.ok) {
      await this.#lost(result);
      return undefined;
    }
    await this.hub.reached(result.revision);
    const cached = cache.get(key.namespace, key.name);
    if (cached?.metadata.resourceVersion === String(result.revision) && !resource.outline) return cached;
    return seal(object, result.revision, value);
  }

  /** A write lost against another: wait until the cache knows the winner, so that a retry sees it. */
  async #lost(result: WriteResult & { ok: false }): Promise<false> {
    if (result.current) await this.hub.reached(result.current.revision);
    return false;
  }

  stop(): void {
    this.hub.stop();
  }
}

function keyOfNew(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' };
}

async function storing(write: () => Promise<WriteResult>): Promise<WriteResult> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof StoreFullError) {
      throw internal(error.message);
    }
    throw error;
  }
}
