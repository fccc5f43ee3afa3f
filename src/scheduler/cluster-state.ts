// What the scheduler knows of the cluster: its nodes, what the pods on them take, and where pods are that it has
// just placed. Kept as things change, so that a decision costs the number of nodes and not the number of pods.
import type { Node, Pod } from '../api/generated/types.ts';
import { controllerOf, type NamespacedName, type Stored } from '../api/objects.ts';
import { type Amounts, amountsOf, podRequestsHeld } from '../api/pod-resources.ts';
import { claimKeysOf } from '../api/pod-state.ts';
import { sameJson } from '../base/same-json.ts';
import { AffinityCounts, type NamespaceLabels } from './affinity-terms.ts';
import { type HostPort, hostPortsOf, podRequestsForScore } from './requests.ts';

interface Placed {
  pod: Stored<Pod>;
  nodeName: string;
  requests: Amounts;
  requestsForScore: Amounts;
}

/** A node and what is taken of it. */
export class NodeState {
  readonly name: string;
  /** Undefined while pods are bound to a node that is not there. */
  node: Stored<Node> | undefined;
  allocatable: Amounts = new Map();
  readonly pods = new Map<string, Placed>();
  readonly requested: Amounts = new Map();
  readonly requestedForScore: Amounts = new Map();
  readonly hostPorts = new Map<string, HostPort[]>();
  /** How many pods of each controller (by UID) are here, for spreading. */
  readonly podsOfController = new Map<string, number>();
  /** How many pods here use each claim. */
  readonly podsOfClaim = new Map<NamespacedName, number>();

  constructor(name: string) {
    this.name = name;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node?.metadata.labels ?? {};
  }
}

export class ClusterState {
  readonly nodes = new Map<string, NodeState>();
  readonly #places = new Map<string, Placed>();
  readonly #podsOfClaim = new Map<NamespacedName, number>();
  readonly namespaceLabels: NamespaceLabels;
  affinity: AffinityCounts;

  constructor(namespaceLabels: NamespaceLabels = () => undefined) {
    this.namespaceLabels = namespaceLabels;
    this.affinity = new AffinityCounts(namespaceLabels);
  }

  setNode(node: Stored<Node>): void {
    const state = this.#state(node.metadata.name);
    const moved = !sameJson(state.labels, node.metadata.labels ?? {});
    state.node = node;
    state.allocatable = amountsOf(node.status?.allocatable);
    if (moved && state.pods.size > 0) this.recountAffinity();
  }

  removeNode(name: string): void {
    const state = this.nodes.get(name);
    if (!state) return;
    state.node = undefined;
    if (state.pods.size === 0) this.nodes.delete(name);
    else this.recountAffinity();
  }

  /** Forgets the counts of inter-pod affinity: labels of nodes or namespaces have changed. */
  recountAffinity(): void {
    this.affinity = new AffinityCounts(this.namespaceLabels);
    for (const [pod, labels] of this.#placedPods()) this.affinity.count(pod, labels, 1);
  }

  /** The node on which the pod is counted. */
  nodeOf(podUid: string): string | undefined {
    return this.#places.get(podUid)?.nodeName;
  }

  /** Counts the pod on a node; if it was counted before, in its older form, that one goes. */
  placePod(pod: Stored<Pod>, nodeName: string): void {
    this.removePod(pod.metadata.uid);
    const placed: Placed = {
      pod,
      nodeName,
      requests: podRequestsHeld(pod),
      requestsForScore: podRequestsForScore(pod),
    };
    this.#places.set(pod.metadata.uid, placed);
    const state = this.#state(nodeName);
    state.pods.set(pod.metadata.uid, placed);
    const ports = hostPortsOf(pod);
    if (ports.length > 0) state.hostPorts.set(pod.metadata.uid, ports);
    this.#count(state, placed, 1);
  }

  removePod(podUid: string): void {
    const placed = this.#places.get(podUid);
    if (!placed) return;
    this.#places.delete(podUid);
    const state = this.#state(placed.nodeName);
    state.pods.delete(podUid);
    state.hostPorts.delete(podUid);
    this.#count(state, placed, -1);
    if (state.pods.size === 0 && !state.node) this.nodes.delete(state.name);
  }

  /** How many placed pods use the claim. */
  usersOfClaim(claimKey: NamespacedName): number {
    return this.#podsOfClaim.get(claimKey) ?? 0;
  }

  placed = (): Iterable<[Pod, Readonly<Record<string, string>>]> => this.#placedPods();

  *#placedPods(): Generator<[Pod, Readonly<Record<string, string>>]> {
    for (const { pod, nodeName } of this.#places.values())
      yield [pod, this.nodes.get(nodeName)?.labels ?? {}];
  }

  #state(name: string): NodeState {
    const state = this.nodes.get(name) ?? new NodeState(name);
    this.nodes.set(name, state);
    return state;
  }

  #count(state: NodeState, placed: Placed, step: 1 | -1): void {
    bumpAmounts(state.requested, placed.requests, step);
    bumpAmounts(state.requestedForScore, placed.requestsForScore, step);
    const controller = controllerOf(placed.pod)?.uid;
    if (controller) bump(state.podsOfController, controller, step);
    for (const key of claimKeysOf(placed.pod)) {
      bump(state.podsOfClaim, key, step);
      bump(this.#podsOfClaim, key, step);
    }
    this.affinity.count(placed.pod, state.labels, step);
  }
}

function bump<K>(counts: Map<K, number>, key: K, step: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + step;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function bumpAmounts(sum: Amounts, amounts: Amounts, step: 1 | -1): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0n) + BigInt(step) * amount);
}
