// Looks after nodes: a silent one is marked Unknown, its state becomes taints, its pods are marked not ready, and
// those that do not tolerate it are deleted when their time is up. Silence is measured on this process's own clock.

import { conditionOf, isReady } from '../../api/conditions.ts';
import { orUndefined } from '../../api/errors.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { leases } from '../../api/resources/leases/definition.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { timestamp } from '../../base/clock.ts';
import { eachOrThrow } from '../../base/each-by-itself.ts';
import { itself, runController, watch } from '../../client/controller.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { ReconcileResult } from '../../client/run-workers.ts';
import { evictPod } from './evict-pod.ts';
import { evictionTimeMs, GRACE_MS, heartbeatOf, silentConditions, wantedTaints } from './plan.ts';

const PERIOD_MS = 5_000;
const LEASE_NAMESPACE = 'kube-node-lease';
const PODS_BY_NODE = 'node';
const PODS_AT_ONCE = 8;

/** Runs the node lifecycle controller until the context's signal. */
export async function runNodesController(context: RunContext): Promise<void> {
  await new NodesController(context).run();
}

class NodesController {
  readonly #context: RunContext;
  readonly #recorder: EventRecorder;
  /** The last sign of life of each node, and when it was seen here. */
  readonly #seen = new Map<string, { mark: string; atMs: number }>();
  /** When each node was first seen with NoExecute taints. */
  readonly #taintedSinceMs = new Map<string, number>();
  /** The pods that were marked not ready in the silence of a node that lasts; their agents may know better. */
  readonly #marked = new Map<string, Set<string>>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#recorder = createRecorder(context, 'node-controller');
    const { informers } = context;
    informers.of(pods).addIndex(PODS_BY_NODE, (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  }

  run(): Promise<void> {
    const { informers } = this.#context;
    const allNodes = informers.of(nodes);
    const taintedNodeOf = ({ spec: { nodeName } }: Stored<Pod>): ObjectKey[] => {
      const node = nodeName ? allNodes.get(undefined, nodeName) : undefined;
      return node?.spec.taints?.some((taint) => taint.effect === 'NoExecute') ? [node.metadata] : [];
    };
    return runController(this.#context, 'node_lifecycle_controller', {
      workers: 4,
      reads: [informers.of(leases)],
      watches: [
        watch(allNodes, { changed: itself, deleted: (node) => this.#forget(node.metadata.name) }),
        watch(informers.of(pods), { changed: taintedNodeOf }),
      ],
      reconcile: ({ name }) => this.#reconcile(name),
    });
  }

  #forget(name: string): undefined {
    this.#seen.delete(name);
    this.#taintedSinceMs.delete(name);
    this.#marked.delete(name);
  }

  async #reconcile(name: string): Promise<ReconcileResult> {
    const { clock, informers } = this.#context;
    const cached = informers.of(nodes).get(undefined, name);
    const node = cached && (await orUndefined(this.#judge(cached)));
    if (!node) return {};
    const nextEvictionMs = await this.#settlePods(node);
    return { requeueAfterMs: Math.max(1, Math.min(PERIOD_MS, nextEvictionMs - clock.now())) };
  }

  /** Writes down that the node is silent, if it is, and the taints that follow from its state. */
  async #judge(cached: Stored<Node>): Promise<Stored<Node>> {
    const { client, clock } = this.#context;
    let node = cached;
    const conditions = this.#isSilent(node) ? silentConditions(node, clock.now()) : undefined;
    if (conditions) {
      const status = { ...node.status, conditions };
      node = await client.update(nodes, { ...node, status }, { subresource: 'status' });
      const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
      this.#recorder.event(node, 'Normal', 'NodeNotReady', message);
    }
    const taints = wantedTaints(node, clock.now());
    return taints ? client.update(nodes, { ...node, spec: { ...node.spec, taints } }) : node;
  }

  #isSilent(node: Stored<Node>): boolean {
    const { clock, informers } = this.#context;
    const { name } = node.metadata;
    const { mark } = heartbeatOf(node, informers.of(leases).get(LEASE_NAMESPACE, name));
    const seen = this.#seen.get(name);
    if (seen?.mark === mark) return clock.now() - seen.atMs > GRACE_MS;
    this.#seen.set(name, { mark, atMs: clock.now() });
    return false;
  }

  /** Marks and evicts the node's pods. @returns when the next one has to leave, ms; infinity if none. */
  async #settlePods(node: Stored<Node>): Promise<number> {
    const { clock, informers } = this.#context;
    const { name } = node.metadata;
    const tainted = (node.spec.taints ?? []).some((taint) => taint.effect === 'NoExecute');
    if (!tainted) {
      this.#taintedSinceMs.delete(name);
      this.#marked.delete(name);
      return Number.POSITIVE_INFINITY;
    }
    const since = this.#taintedSinceMs.get(name) ?? clock.now();
    this.#taintedSinceMs.set(name, since);
    const unknown = conditionOf(node, 'Ready')?.status === 'Unknown';
    if (!unknown) this.#marked.delete(name);
    let next = Number.POSITIVE_INFINITY;
    const settle = async (pod: Stored<Pod>): Promise<void> => {
      if (unknown) await this.#markOnce(name, pod);
      const atMs = evictionTimeMs(pod, node, since);
      if (atMs === undefined || isTerminating(pod)) return;
      if (atMs > clock.now()) next = Math.min(next, atMs);
      else await evictPod(this.#context, this.#recorder, pod);
    };
    await eachOrThrow(informers.of(pods).byIndex(PODS_BY_NODE, name), PODS_AT_ONCE, (pod) =>
      orUndefined(settle(pod)),
    );
    return next;
  }

  /**
   * Once in a silence, as upstream: an agent that is back says how its pods are before it has said that it is back,
   * and is not to be contradicted every time.
   */
  async #markOnce(node: string, pod: Stored<Pod>): Promise<void> {
    const marked = this.#marked.get(node) ?? new Set<string>();
    this.#marked.set(node, marked);
    const { uid } = pod.metadata;
    if (marked.has(uid)) return;
    if (isReady(pod) && !isPodFinished(pod)) await this.#markNotReady(pod);
    marked.add(uid);
  }

  /** Its node is silent: nobody can say that the pod is ready. */
  async #markNotReady(pod: Stored<Pod>): Promise<void> {
    const { client, clock } = this.#context;
    const { namespace, name, uid } = pod.metadata;
    const ready = { ...conditionOf(pod, 'Ready'), type: 'Ready', status: 'False', reason: 'NodeNotReady' };
    const condition = { ...ready, lastTransitionTime: timestamp(clock.now()) };
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    await client.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' });
    this.#recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}
