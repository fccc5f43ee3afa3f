// Which objects are a workload's: those that it controls and that match its selector. Matching orphans are adopted, what
// matches no longer is released, what somebody else controls is left alone. For every workload controller; which objects
// come into question is theirs. Follows upstream's pkg/controller/controller_ref_manager.go.
import { orUndefined } from '../api/errors.ts';
import type { OwnerReference } from '../api/generated/types.ts';
import { controllerOf, isTerminating, type KubeObject, keyOf, type Stored } from '../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/resource.ts';
import type { Selector } from '../api/selectors.ts';
import type { Client } from '../client/client.ts';

/** The reference by which an object controls what it owns (`metav1.NewControllerRef`). */
export function controllerReference(
  resource: Pick<ResourceDefinition, 'group' | 'version' | 'kind'>,
  { metadata: { name, uid } }: Stored,
): OwnerReference {
  const { kind } = resource;
  return { apiVersion: apiVersionOf(resource), kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/**
 * Sorts candidates into one owner's own and others. Adoption asks the API itself, not the cache, whether the owner is
 * still there: one made again under the name must not be given the old one's.
 */
export class Ownership<Owner extends KubeObject> {
  readonly #client: Client;
  readonly #resource: ResourceDefinition<Owner>;
  readonly #owner: Stored<Owner>;
  readonly #selector: Selector;
  #mayAdopt: Promise<void> | undefined;

  /** @param resource the owner's. */
  constructor(client: Client, resource: ResourceDefinition<Owner>, owner: Stored<Owner>, selector: Selector) {
    this.#client = client;
    this.#resource = resource;
    this.#owner = owner;
    this.#selector = selector;
  }

  /**
   * The object if it is the owner's, adopted if it has to be; undefined if it is not, or no longer.
   * @param unmatched what becomes of one that the owner controls and that does not match.
   * @throws what the API answers (Conflict if the object has changed: it is looked at again), and an Error if the
   *   owner has meanwhile been replaced or deleted.
   */
  async claim<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: Stored<T>,
    unmatched: 'released' | 'left',
  ): Promise<Stored<T> | undefined> {
    const matches = this.#selector.matches(object.metadata.labels);
    const controller = controllerOf(object);
    if (!controller) return matches ? this.#adopt(resource, object) : undefined;
    if (controller.uid !== this.#owner.metadata.uid) return undefined;
    if (matches) return object;
    if (unmatched === 'released' && !isTerminating(this.#owner)) await this.#release(resource, object);
    return undefined;
  }

  async #adopt<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    orphan: Stored<T>,
  ): Promise<Stored<T> | undefined> {
    if (isTerminating(this.#owner) || isTerminating(orphan)) return undefined;
    this.#mayAdopt ??= this.#checkOwner();
    await this.#mayAdopt;
    const reference = controllerReference(this.#resource, this.#owner);
    return this.#write(resource, orphan, [...(orphan.metadata.ownerReferences ?? []), reference]);
  }

  async #checkOwner(): Promise<void> {
    const { namespace, name, uid } = this.#owner.metadata;
    const what = `${this.#resource.kind} ${keyOf(this.#owner)}`;
    const { metadata } = await this.#client.get(this.#resource, { namespace, name });
    if (metadata.uid !== uid) {
      throw new Error(`original ${what} is gone: got uid ${metadata.uid}, wanted ${uid}`);
    }
    if (metadata.deletionTimestamp) {
      throw new Error(`${what} has just been deleted at ${metadata.deletionTimestamp}`);
    }
  }

  async #release<T extends KubeObject>(resource: ResourceDefinition<T>, object: Stored<T>): Promise<void> {
    const { uid } = this.#owner.metadata;
    const kept = (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid);
    await this.#write(resource, object, kept);
  }

  /** Undefined if the object is gone. */
  #write<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: Stored<T>,
    ownerReferences: OwnerReference[],
  ): Promise<Stored<T> | undefined> {
    const body = structuredClone({ ...object, metadata: { ...object.metadata, ownerReferences } });
    return orUndefined(this.#client.update<T>(resource, body));
  }
}
