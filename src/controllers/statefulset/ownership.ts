// Which pods and revisions are a set's: those that it controls and that match it. Matching orphans are adopted, pods
// that match no longer are released, what somebody else controls is left alone. Follows upstream's
// pkg/controller/controller_ref_manager.go.
import { isNotFound } from '../../api/errors.ts';
import type { ControllerRevision, Pod, StatefulSet } from '../../api/generated/types.ts';
import { controllerOf, isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { controllerRevisions } from '../../api/resources/controller-revisions/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { type Selector, selectorOf } from '../../api/selectors.ts';
import type { Client } from '../../client/client.ts';
import { controllerReference } from './identity.ts';

/** The pods and revisions of a set, and the pods that stand in the place of one. */
export interface Owned {
  pods: Stored<Pod>[];
  strangers: Stored<Pod>[];
  revisions: Stored<ControllerRevision>[];
}

/**
 * Sorts candidates into the set's own and others, adopting and releasing on the way. Adoption asks the API itself,
 * not the cache, whether the set is still there: a set made again under the name must not be given the old one's.
 * @param candidates pods that bear the set's name and an ordinal.
 * @param history revisions in the set's namespace that it controls, or nobody.
 * Throws what the API answers, and an Error if the set has meanwhile been replaced or deleted.
 */
export async function claimOwned(
  client: Client,
  set: Stored<StatefulSet>,
  candidates: readonly Stored<Pod>[],
  history: readonly Stored<ControllerRevision>[],
): Promise<Owned> {
  const claim = new Claiming(client, set);
  const owned: Owned = { pods: [], strangers: [], revisions: [] };
  for (const pod of candidates) {
    const mine = await claim.pod(pod);
    if (mine) owned.pods.push(mine);
    else owned.strangers.push(pod);
  }
  for (const revision of history) {
    const mine = await claim.revision(revision);
    if (mine) owned.revisions.push(mine);
  }
  return owned;
}

class Claiming {
  readonly #client: Client;
  readonly #set: Stored<StatefulSet>;
  readonly #selector: Selector;
  #mayAdopt: Promise<void> | undefined;

  constructor(client: Client, set: Stored<StatefulSet>) {
    this.#client = client;
    this.#set = set;
    this.#selector = selectorOf(set.spec.selector);
  }

  async pod(pod: Stored<Pod>): Promise<Stored<Pod> | undefined> {
    const matches = this.#selector.matches(pod.metadata.labels);
    const controller = controllerOf(pod);
    if (!controller) return matches ? this.#adopt(pods, pod) : undefined;
    if (controller.uid !== this.#set.metadata.uid) return undefined;
    if (matches) return pod;
    if (!isTerminating(this.#set)) await this.#release(pod);
    return undefined;
  }

  async revision(revision: Stored<ControllerRevision>): Promise<Stored<ControllerRevision> | undefined> {
    if (!this.#selector.matches(revision.metadata.labels)) return undefined;
    const controller = controllerOf(revision);
    if (!controller) return this.#adopt(controllerRevisions, revision);
    return controller.uid === this.#set.metadata.uid ? revision : undefined;
  }

  async #adopt<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    orphan: Stored<T>,
  ): Promise<Stored<T> | undefined> {
    if (isTerminating(this.#set) || isTerminating(orphan)) return undefined;
    this.#mayAdopt ??= this.#checkSet();
    await this.#mayAdopt;
    const ownerReferences = [
      ...(orphan.metadata.ownerReferences ?? []),
      controllerReference(this.#set, 'StatefulSet'),
    ];
    return this.#write(resource, orphan, ownerReferences);
  }

  async #checkSet(): Promise<void> {
    const { namespace, name, uid } = this.#set.metadata;
    const live = await this.#client.get(statefulSets, { namespace, name });
    if (live.metadata.uid !== uid) {
      throw new Error(
        `original StatefulSet ${namespace}/${name} is gone: got uid ${live.metadata.uid}, wanted ${uid}`,
      );
    }
    if (isTerminating(live)) {
      throw new Error(
        `StatefulSet ${namespace}/${name} has just been deleted at ${live.metadata.deletionTimestamp}`,
      );
    }
  }

  async #release(pod: Stored<Pod>): Promise<void> {
    const { uid } = this.#set.metadata;
    const kept = (pod.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid);
    await this.#write(pods, pod, kept);
  }

  /** Undefined if the object is gone; Conflict if it has changed, so that it is looked at again. */
  async #write<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: Stored<T>,
    ownerReferences: NonNullable<KubeObject['metadata']['ownerReferences']>,
  ): Promise<Stored<T> | undefined> {
    try {
      const body = structuredClone({ ...object, metadata: { ...object.metadata, ownerReferences } });
      return await this.#client.update<T>(resource, body);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
