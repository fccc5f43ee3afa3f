// The garbage collector: objects that may have lost their owners, or that wait for their dependents, come from
// one queue. Caches only raise suspicion; before anything is deleted the API itself is asked.

import { orUndefined } from '../../api/errors.ts';
import type { OwnerReference } from '../../api/generated/types.ts';
import type { ObjectKey, Stored } from '../../api/objects.ts';
import { groupResourceOf, type ResourceDefinition } from '../../api/resource.ts';
import { assertNever } from '../../base/assert-never.ts';
import { eachOrThrow } from '../../base/each-by-itself.ts';
import { ControllerQueue, type KeyQueue, runControllerOn } from '../../client/controller.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import type { Kinds } from '../../client/kinds.ts';
import { anyKindKeys, type KindKey } from '../../client/queue-keys.ts';
import type { RunContext } from '../../client/run-context.ts';
import { type GraphNode, isFinishing, OwnerGraph } from './graph.ts';
import { FOREGROUND, type OwnerState, planDeleting, planDependent } from './plan.ts';

const ORPHANED_AT_ONCE = 8;
/** Events have no owners and are too many to watch. */
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);

/**
 * Runs the garbage collector until the context's signal.
 * @param kinds what the API serves; what cannot be listed, watched and deleted is left out.
 */
export async function runGarbageController(context: RunContext, kinds: Kinds): Promise<void> {
  await new GarbageController(context, new OwnerGraph(context.informers, kinds, isCollected)).run();
}

function isCollected(resource: ResourceDefinition): boolean {
  const { verbs } = resource;
  const has = (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb));
  return has && !IGNORED.has(groupResourceOf(resource));
}

class GarbageController {
  readonly #context: RunContext;
  readonly #graph: OwnerGraph;
  readonly #recorder: EventRecorder;

  constructor(context: RunContext, graph: OwnerGraph) {
    this.#context = context;
    this.#graph = graph;
    this.#recorder = createRecorder(context, 'garbage-collector-controller');
  }

  run(): Promise<void> {
    const graph = this.#graph;
    const queue = new ControllerQueue(this.#context, 'garbage_collector_attempt_to_delete', anyKindKeys);
    return runControllerOn(queue, this.#context, {
      workers: 16,
      watches: [{ synced: () => graph.synced(), start: (queue) => graph.watch((key) => queue.add(key)) }],
      reconcile: (key, queue) => this.#reconcile(key, queue),
    });
  }

  async #reconcile(key: KindKey<string>, queue: KeyQueue<KindKey<string>>): Promise<void> {
    const cached = this.#graph.find(key);
    if (!cached) return;
    const object = await this.#get(cached.resource, cached.object.metadata);
    if (!object || object.metadata.uid !== cached.object.metadata.uid) return;
    const node = { resource: cached.resource, object };
    await this.#reconcileDependent(node);
    if (isFinishing(object)) await this.#reconcileDeleting(node, queue);
  }

  /** The object as the API has it now. */
  #get(resource: ResourceDefinition, { namespace, name }: ObjectKey): Promise<Stored | undefined> {
    return orUndefined(this.#context.client.get(resource, { namespace, name }));
  }

  // ---- objects with owners ------------------------------------------------------------------------------------

  async #reconcileDependent(node: GraphNode): Promise<void> {
    const { resource, object } = node;
    const states = new Map<string, OwnerState>();
    for (const owner of object.metadata.ownerReferences ?? []) {
      states.set(owner.uid, await this.#ownerState(object, owner));
    }
    const plan = planDependent(object, states, this.#graph.hasDependents(object.metadata.uid));
    if (plan.type === 'keep') return;
    if (plan.type === 'dropReferences') return this.#dropReferences(node, plan.uids);
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const { propagationPolicy } = plan;
    // With the version that was judged: whoever is adopted at this moment is not deleted.
    const options = { preconditions: { uid, resourceVersion }, propagationPolicy };
    await orUndefined(this.#context.client.delete(resource, { namespace, name }, options));
  }

  async #ownerState(dependent: Stored, owner: OwnerReference): Promise<OwnerState> {
    const resource = this.#graph.resourceOf(owner);
    if (!resource) return 'unknown';
    const { namespace } = dependent.metadata;
    if (resource.namespaced && !namespace) {
      this.#recorder.event(
        dependent,
        'Warning',
        'OwnerRefInvalidNamespace',
        `ownerRef [${owner.apiVersion}/${owner.kind}, name: ${owner.name}, uid: ${owner.uid}] of a cluster-scoped object names a namespaced owner`,
      );
      return 'unknown';
    }
    const found =
      this.#graph.ownerInCache(dependent, owner) ??
      (await this.#get(resource, {
        namespace: resource.namespaced ? namespace : undefined,
        name: owner.name,
      }));
    if (found?.metadata.uid !== owner.uid) return 'absent';
    const leaving = isFinishing(found) && found.metadata.finalizers?.includes(FOREGROUND);
    return leaving ? 'deletingForeground' : 'present';
  }

  async #dropReferences({ resource, object }: GraphNode, uids: readonly string[]): Promise<void> {
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter(
      (owner) => !uids.includes(owner.uid),
    );
    await this.#write(resource, { ...object, metadata: { ...object.metadata, ownerReferences } });
  }

  // ---- objects that are being deleted -------------------------------------------------------------------------

  async #reconcileDeleting(node: GraphNode, queue: KeyQueue<KindKey<string>>): Promise<void> {
    const { resource, object } = node;
    const dependents = this.#graph.dependentsOf(object.metadata.uid);
    const plan = planDeleting(
      object,
      dependents.map((dependent) => dependent.object),
    );
    switch (plan.type) {
      case 'nothing':
        return;
      case 'deleteDependents':
        for (const dependent of dependents) queue.add(this.#graph.key(dependent.resource, dependent.object));
        return;
      case 'orphanDependents':
        await eachOrThrow(dependents, ORPHANED_AT_ONCE, (dependent) =>
          this.#dropReferences(dependent, [object.metadata.uid]),
        );
        // Comes again when the caches show them without it.
        return queue.addRateLimited(this.#graph.key(resource, object));
      case 'finish': {
        const finalizers = (object.metadata.finalizers ?? []).filter(
          (finalizer) => finalizer !== plan.finalizer,
        );
        return this.#write(resource, { ...object, metadata: { ...object.metadata, finalizers } });
      }
      default:
        assertNever(plan);
    }
  }

  async #write(resource: ResourceDefinition, object: Stored): Promise<void> {
    await orUndefined(this.#context.client.update(resource, object));
  }
}
