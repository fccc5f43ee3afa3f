// The scheduler's decision about one pod: on which node, and what its claims need for that, or why on none. A pure
// function of the cluster's state; counting the decision in and carrying it out are the controller's.
import { type Cause, rootCause, type Waiting } from '../api/between/waiting.ts';
import type { Pod } from '../api/generated/types.ts';
import { isTerminating, type Stored } from '../api/objects.ts';
import { isPodFinished } from '../api/pod-state.ts';
import type { ClusterState, NodeState } from './cluster-state.ts';
import { filterNode, podFacts } from './filters.ts';
import type { Objection } from './objection.ts';
import { bestNode } from './score.ts';
import {
  chooseVolumes,
  type PodVolumes,
  podVolumes,
  type StorageView,
  type VolumeChoice,
} from './volumes.ts';

export type Decision =
  /** The pod goes to the node as soon as its claims are bound; `volumes` is what is still to be done for them. */
  | { type: 'place'; nodeName: string; volumes: VolumeChoice }
  /** No node will do; the condition and the event say its root cause. A claim is waited for whatever the nodes do. */
  | { type: 'unschedulable'; because: Cause | Waiting };

export const SCHEDULER_NAME = 'default-scheduler';

/** Whether the pod is one that this scheduler has to place. */
export function isForScheduler(pod: Pod): boolean {
  return (
    !pod.spec.nodeName &&
    !isTerminating(pod) &&
    !isPodFinished(pod) &&
    (pod.spec.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME &&
    (pod.spec.schedulingGates ?? []).length === 0
  );
}

const inUse = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
const IN_USE_ALREADY: Objection = { counted: inUse, said: inUse };

const unschedulable = (message: string): Cause => ({ reason: 'Unschedulable', message, passing: false });

/**
 * Decides where the pod goes. The pod itself must not be counted in `cluster`.
 * Reasons are worded, counted and sorted as upstream does (framework.FitError); there is no preemption.
 */
export function planPod(pod: Stored<Pod>, cluster: ClusterState, storage: StorageView): Decision {
  const nodes = [...cluster.nodes.values()].filter((node) => node.node !== undefined);
  if (nodes.length === 0) {
    return { type: 'unschedulable', because: unschedulable('no nodes available to schedule pods') };
  }
  const none = `0/${nodes.length} nodes are available:`;
  const volumes = podVolumes(pod, storage);
  if ('because' in volumes) {
    const because = unschedulable(`${none} ${rootCause(volumes).message}.`);
    return { type: 'unschedulable', because: { ...volumes, because } };
  }

  const facts = podFacts(pod, cluster);
  const reasons = new Map<string, number>();
  const feasible: NodeState[] = [];
  const choices = new Map<string, VolumeChoice>();
  for (const node of nodes) {
    const against = [...filterNode(facts, node)];
    if (against.length === 0) {
      const choice = chooseFor(volumes, node, cluster, storage);
      if ('counted' in choice) against.push(choice);
      else choices.set(node.name, choice);
    }
    if (against.length === 0) feasible.push(node);
    for (const { counted } of against) reasons.set(counted, (reasons.get(counted) ?? 0) + 1);
  }
  const best = bestNode(facts, feasible);
  const choice = best && choices.get(best.name);
  if (best && choice) return { type: 'place', nodeName: best.name, volumes: choice };
  const histogram = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return { type: 'unschedulable', because: unschedulable(`${none} ${histogram.join(', ')}.`) };
}

function chooseFor(
  volumes: PodVolumes,
  node: NodeState,
  cluster: ClusterState,
  storage: StorageView,
): VolumeChoice | Objection {
  if (volumes.exclusive.some((key) => cluster.usersOfClaim(key) > 0)) return IN_USE_ALREADY;
  return chooseVolumes(volumes, node, storage);
}
