// Who owns whom, over all resources: the informers with an index by owner. Reading it costs what it returns.
import type { OwnerReference } from '../../api/generated/types.ts';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import { groupResourceOf, type ResourceDefinition } from '../../api/resource.ts';
import type { Informer, Informers } from '../../client/informers.ts';
import { type Kinds, oneVersionEach } from '../../client/kinds.ts';
import { type KindKey, kindKey } from '../../client/queue-keys.ts';
import { FOREGROUND, ORPHAN } from './plan.ts';

const BY_OWNER = 'owner';

/** One object with the resource that it is of. */
export interface GraphNode {
  resource: ResourceDefinition;
  object: Stored;
}

export class OwnerGraph {
  readonly #resources = new Map<string, ResourceDefinition>();
  readonly #byKind = new Map<string, ResourceDefinition>();
  readonly #informers: Informers;
  readonly #kinds: Kinds;
  readonly #isCollected: (resource: ResourceDefinition) => boolean;

  /**
   * @param kinds what is served: the graph follows it.
   * @param isCollected whether objects of a resource may own or be owned.
   */
  constructor(informers: Informers, kinds: Kinds, isCollected: (resource: ResourceDefinition) => boolean) {
    this.#informers = informers;
    this.#kinds = kinds;
    this.#isCollected = isCollected;
    this.#follow();
  }

  /** Takes up what has come, and forgets what is gone. */
  #follow(): void {
    const resources = oneVersionEach(this.#kinds.resources()).filter(this.#isCollected);
    const served = new Set(resources);
    for (const [name, resource] of this.#resources) {
      if (served.has(resource)) continue;
      this.#resources.delete(name);
      this.#byKind.delete(`${resource.group}/${resource.kind}`);
    }
    for (const resource of resources) {
      this.#resources.set(groupResourceOf(resource), resource);
      this.#byKind.set(`${resource.group}/${resource.kind}`, resource);
      this.#informers
        .of(resource)
        .addIndex(BY_OWNER, (object) => (object.metadata.ownerReferences ?? []).map(({ uid }) => uid));
    }
  }

  async synced(): Promise<void> {
    await Promise.all(this.#all().map(([, informer]) => informer.synced()));
  }

  #all(): [ResourceDefinition, Informer<KubeObject>][] {
    return [...this.#resources.values()].map((resource) => [resource, this.#informers.of(resource)]);
  }

  /** The resource of an owner reference; undefined if it is of a kind that is not served. */
  resourceOf(owner: OwnerReference): ResourceDefinition | undefined {
    const slash = owner.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
    return this.#byKind.get(`${group}/${owner.kind}`);
  }

  /** The queue's key for an object: its kind is its resource, as in `statefulsets.apps`. */
  key(resource: ResourceDefinition, object: Stored): KindKey<string> {
    return kindKey(groupResourceOf(resource), object.metadata);
  }

  /** The object of a key, if it is (still) there. */
  find({ kind, namespace, name }: KindKey<string>): GraphNode | undefined {
    const resource = this.#resources.get(kind);
    const object = resource && this.#informers.of(resource).get(namespace, name);
    return object && { resource, object };
  }

  /** What the caches know of the owner of an object; `absent` is only a suspicion until the API confirms it. */
  ownerInCache(dependent: Stored, owner: OwnerReference): Stored | undefined {
    const resource = this.resourceOf(owner);
    if (!resource) return undefined;
    const namespace = resource.namespaced ? dependent.metadata.namespace : undefined;
    const found = this.#informers.of(resource).get(namespace, owner.name);
    return found?.metadata.uid === owner.uid ? found : undefined;
  }

  dependentsOf(ownerUid: string): GraphNode[] {
    return this.#all().flatMap(([resource, informer]) =>
      informer.byIndex(BY_OWNER, ownerUid).map((object) => ({ resource, object })),
    );
  }

  hasDependents(ownerUid: string): boolean {
    return this.#all().some(([, informer]) => informer.byIndex(BY_OWNER, ownerUid).length > 0);
  }

  /**
   * Calls `enqueue` with the keys of objects that a change makes worth a look: the object itself, the dependents of
   * one that is gone, the owners (being deleted) of one that is gone or has other owners now.
   * @returns what ends it.
   */
  watch(enqueue: (key: KindKey<string>) => void): () => void {
    const ends = new Map<ResourceDefinition, () => void>();
    const follow = (): void => {
      this.#follow();
      const served = new Map(this.#all());
      for (const [resource, end] of ends) {
        if (served.has(resource)) continue;
        ends.delete(resource);
        end();
      }
      for (const [resource, informer] of served) {
        if (!ends.has(resource)) ends.set(resource, this.#watchOne(resource, informer, enqueue));
      }
    };
    follow();
    const endFollowing = this.#kinds.onResourcesChange(follow);
    return () => {
      endFollowing();
      for (const end of ends.values()) end();
    };
  }

  #watchOne(
    resource: ResourceDefinition,
    informer: Informer<KubeObject>,
    enqueue: (key: KindKey<string>) => void,
  ): () => void {
    const ownersOf = (object: Stored): void => {
      for (const owner of object.metadata.ownerReferences ?? []) {
        const found = this.ownerInCache(object, owner);
        const ownerResource = this.resourceOf(owner);
        if (found && ownerResource && isFinishing(found)) enqueue(this.key(ownerResource, found));
      }
    };
    const look = (object: Stored): void => {
      const orphaned = (object.metadata.ownerReferences ?? []).some(
        (owner) => this.resourceOf(owner) && !this.ownerInCache(object, owner),
      );
      if (orphaned || isFinishing(object)) enqueue(this.key(resource, object));
    };
    return informer.subscribe({
      added: (object) => {
        look(object);
        ownersOf(object);
      },
      updated: (object, old) => {
        look(object);
        if (object.metadata.ownerReferences !== old.metadata.ownerReferences) ownersOf(old);
      },
      deleted: (object) => {
        for (const dependent of this.dependentsOf(object.metadata.uid)) {
          enqueue(this.key(dependent.resource, dependent.object));
        }
        ownersOf(object);
      },
    });
  }
}

/** Whether the object is being deleted and waits for the collector. */
export function isFinishing(object: Stored): boolean {
  const finalizers = object.metadata.finalizers ?? [];
  return isTerminating(object) && (finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN));
}
