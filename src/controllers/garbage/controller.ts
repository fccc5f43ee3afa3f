// The garbage collector's loop: objects that may have lost their owners, or that wait for their dependents, come from
// one queue. Caches only raise suspicion; before anything is deleted the API itself is asked.

import { isNotFound } from '../../api/errors.ts';
import type { OwnerReference } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { groupResourceOf, type ResourceDefinition } from '../../api/resource.ts';
import { eachOrThrow } from '../../base/each-by-itself.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import type { Kinds } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { type GraphNode, isFinishing, OwnerGraph } from './graph.ts';
import { FOREGROUND, type OwnerState, planDeleting, planDependent } from './plan.ts';

const WORKERS = 16;
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
  readonly #queue: WorkQueue;
  readonly #recorder: EventRecorder;

  constructor(context: RunContext, graph: OwnerGraph) {
    this.#context = context;
    this.#graph = graph;
    const { client, clock, random, log, signal } = context;
    this.#queue = new WorkQueue(clock, context.queues?.named('garbage_collector_attempt_to_delete'));
    this.#recorder = createRecorder(client, clock, random, 'garbage-collector-controller', '', log, signal);
  }

  async run(): Promise<void> {
    const { log, signal } = this.#context;
    try {
      await this.#graph.synced();
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const unsubscribe = this.#graph.watch((key) => this.#queue.add(key));
    await runWorkers(this.#queue, WORKERS, (key) => this.#reconcile(key), log, signal);
    unsubscribe();
  }

  async #reconcile(key: string): Promise<void> {
    const cached = this.#graph.find(key);
    if (!cached) return;
    const object = await this.#live(cached);
    if (!object || object.metadata.uid !== cached.object.metadata.uid) return;
    const node = { resource: cached.resource, object };
    await this.#reconcileDependent(node);
    if (isFinishing(object)) await this.#reconcileDeleting(node);
  }

  /** The object as the API has it now. */
  async #live({ resource, object }: GraphNode): Promise<Stored | undefined> {
    return this.#get(resource, object.metadata.namespace, object.metadata.name);
  }

  async #get(
    resource: ResourceDefinition,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored | undefined> {
    try {
      return await this.#context.client.get(resource, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
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
    try {
      // With the version that was judged: whoever is adopted at this moment is not deleted.
      await this.#context.client.delete(
        resource,
        { namespace, name },
        { preconditions: { uid, resourceVersion }, propagationPolicy: plan.propagationPolicy },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
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
      (await this.#get(resource, resource.namespaced ? namespace : undefined, owner.name));
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

  async #reconcileDeleting(node: GraphNode): Promise<void> {
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
        for (const dependent of dependents)
          this.#queue.add(this.#graph.key(dependent.resource, dependent.object));
        return;
      case 'orphanDependents':
        await eachOrThrow(dependents, ORPHANED_AT_ONCE, (dependent) =>
          this.#dropReferences(dependent, [object.metadata.uid]),
        );
        // Comes again when the caches show them without it.
        return this.#queue.addRateLimited(this.#graph.key(resource, object));
      case 'finish': {
        const finalizers = (object.metadata.finalizers ?? []).filter(
          (finalizer) => finalizer !== plan.finalizer,
        );
        await this.#write(resource, { ...object, metadata: { ...object.metadata, finalizers } });
      }
    }
  }

  async #write(resource: ResourceDefinition, object: Stored): Promise<KubeObject | undefined> {
    try {
      return await this.#context.client.update(resource, object);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
