// Does what a plan says: phases one after the other, and within one either step by step or in growing batches. What
// is already as wanted counts as done; the first failure ends it, and the next pass looks at the world again. Events
// carry upstream's reasons and wording (stateful_pod_control.go).
import { isAlreadyExists, isConflict, isNotFound, StatusError } from '../../api/errors.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { assertNever } from '../../base/assert-never.ts';
import { errorText } from '../../base/error-text.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/events.ts';
import { slowStart } from '../slow-start.ts';
import { writeRevision } from '../write-revision.ts';
import type { Action, ClaimWork, Phase, Plan } from './actions.ts';
import { revisionOf } from './identity.ts';

/** Hears of every pod that was created, deleted or updated in place, or of which that is not known. */
export type OnWrite = (type: 'created' | 'deleted' | 'updated' | 'unknown', pod: Pod) => void;

/** Whether a write that failed may have been done all the same: only the answer was lost, or late. */
const mayBeDone = (error: unknown): boolean => !(error instanceof StatusError) || error.code >= 500;

const isOfRevisions = ({ name }: Phase): boolean => name === 'revisions';

/** Executes plans for one set. */
export class Executor {
  readonly #client: Client;
  readonly #events: EventRecorder;
  readonly #set: Stored<StatefulSet>;
  readonly #onWrite: OnWrite;

  constructor(client: Client, events: EventRecorder, set: Stored<StatefulSet>, onWrite: OnWrite) {
    this.#client = client;
    this.#events = events;
    this.#set = set;
    this.#onWrite = onWrite;
  }

  /**
   * Throws the first error of the API, after the event about it; RevisionCollision if the name is taken.
   * @param begin what has to succeed between the set's revisions and all the rest.
   */
  async execute(plan: Plan, begin?: () => Promise<void>): Promise<void> {
    const [revisions, rest] = [
      plan.phases.filter(isOfRevisions),
      plan.phases.filter((each) => !isOfRevisions(each)),
    ];
    for (const action of revisions.flatMap(({ actions }) => actions)) await this.#do(action);
    await begin?.();
    for (const { actions } of rest) {
      if (plan.burst) await slowStart(actions, (action) => this.#do(action));
      else for (const action of actions) await this.#do(action);
    }
  }

  async #do(action: Action): Promise<void> {
    switch (action.type) {
      case 'createRevision':
      case 'renumberRevision':
      case 'deleteRevision':
        return writeRevision(this.#client, this.#set, action);
      case 'createPod':
        return this.#createPod(action.pod, action.claims);
      case 'deletePod':
        return this.#deletePod(action.pod, action.why === 'recovery');
      case 'updateInPlace':
        return this.#updateInPlace(action.changed, action.restarted);
      case 'updatePod':
        return this.#updatePod(action.pod, action.changed, action.claims);
      case 'fixClaims':
        return this.#claims(action.pod, action.claims);
      case 'updateClaim':
        return this.#updateClaim(action);
      default:
        assertNever(action);
    }
  }

  async #createPod(pod: Pod, claims: ClaimWork): Promise<void> {
    let created: Stored<Pod>;
    try {
      await this.#claims(pod, claims);
      created = await this.#client.create(pods, structuredClone(pod));
    } catch (error) {
      if (mayBeDone(error)) this.#onWrite('unknown', pod);
      // The cache was behind, or somebody else was quicker: look again, without a word.
      if (!isAlreadyExists(error)) this.#podEvent('create', pod, error);
      throw error;
    }
    this.#onWrite('created', created);
    this.#podEvent('create', pod);
  }

  async #deletePod(pod: Stored<Pod>, isRecovery: boolean): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    try {
      // The very pod that was decided about, never its successor; and never by force.
      await this.#client.delete(pods, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (isNotFound(error)) return;
      if (mayBeDone(error)) this.#onWrite('unknown', pod);
      if (!isConflict(error)) this.#podEvent('delete', pod, error);
      throw error;
    }
    this.#onWrite('deleted', pod);
    this.#podEvent('delete', pod);
    if (!isRecovery) return;
    const message = `replace Pod ${name} in StatefulSet ${this.#set.metadata.name}: it never became Ready at revision ${revisionOf(pod)}, and the rollout goes to another`;
    this.#events.event(this.#set, 'Normal', 'RolloutRecovery', message);
  }

  async #updateInPlace(changed: Stored<Pod>, restarted: readonly string[]): Promise<void> {
    let updated: Stored<Pod>;
    try {
      updated = await this.#client.update(pods, structuredClone(changed));
    } catch (error) {
      if (mayBeDone(error)) this.#onWrite('unknown', changed);
      if (!isConflict(error)) this.#podEvent('update', changed, error);
      throw error;
    }
    this.#onWrite('updated', updated);
    const how = restarted.length > 0 ? `restarting ${restarted.join(', ')}` : 'without a restart';
    const message = `update Pod ${changed.metadata.name} in StatefulSet ${this.#set.metadata.name} in place to revision ${revisionOf(changed)}, ${how}`;
    this.#events.event(this.#set, 'Normal', 'InPlaceUpdate', message);
  }

  async #updatePod(pod: Stored<Pod>, changed: Pod | undefined, claims: ClaimWork): Promise<void> {
    try {
      await this.#claims(pod, claims);
      if (changed) await this.#update(pods, changed);
    } catch (error) {
      if (!isConflict(error)) this.#podEvent('update', pod, error);
      throw error;
    }
    this.#podEvent('update', pod);
  }

  async #claims(pod: Pod, { create, update, conflicting }: ClaimWork): Promise<void> {
    for (const claim of create) await this.#createClaim(pod, claim);
    for (const claim of conflicting) {
      const message = `PersistentVolumeClaim ${claim} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`;
      this.#events.event(this.#set, 'Warning', 'ConflictingController', message);
    }
    for (const claim of update) await this.#update(persistentVolumeClaims, claim);
  }

  async #createClaim(pod: Pod, claim: PersistentVolumeClaim): Promise<void> {
    const { namespace, name } = claim.metadata;
    const set = this.#set.metadata.name;
    try {
      await this.#client.create(persistentVolumeClaims, structuredClone(claim));
    } catch (error) {
      if (isAlreadyExists(error)) return;
      const message = `create Claim ${name} for Pod ${pod.metadata.name} in StatefulSet ${set} failed error: ${errorText(error)}`;
      this.#events.event(this.#set, 'Warning', 'FailedCreate', message);
      throw new Error(`failed to create PVC ${namespace}/${name}: ${errorText(error)}`, { cause: error });
    }
    const message = `create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set} success`;
    this.#events.event(this.#set, 'Normal', 'SuccessfulCreate', message);
  }

  async #updateClaim({ claim, podName, storage }: Extract<Action, { type: 'updateClaim' }>): Promise<void> {
    const what = `update Claim ${claim.metadata.name} Pod ${podName} in StatefulSet ${this.#set.metadata.name}`;
    try {
      await this.#update(persistentVolumeClaims, claim);
    } catch (error) {
      if (!isConflict(error)) {
        this.#events.event(this.#set, 'Warning', 'FailedUpdate', `${what} failed error: ${errorText(error)}`);
      }
      throw error;
    }
    const growth = storage === undefined ? '' : `: it is to grow to ${storage}`;
    this.#events.event(this.#set, 'Normal', 'SuccessfulUpdate', `${what} success${growth}`);
  }

  async #update<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<void> {
    await this.#client.update(resource, structuredClone(object));
  }

  #podEvent(verb: 'create' | 'delete' | 'update', pod: Pod, error?: unknown): void {
    const title = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`;
    const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name}`;
    if (error === undefined) {
      this.#events.event(this.#set, 'Normal', `Successful${title}`, `${what} successful`);
    } else {
      this.#events.event(this.#set, 'Warning', `Failed${title}`, `${what} failed error: ${errorText(error)}`);
    }
  }
}
