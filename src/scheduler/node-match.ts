// What a node is to a pod by its labels, taints and conditions alone: whether the pod means it, and what keeps pods away
// from it. Filters and topology spread both ask that.
import { conditionOf } from '../api/conditions.ts';
import type { Pod, Taint } from '../api/generated/types.ts';
import { matchesNodeSelector } from '../api/node-selector.ts';
import { CONDITION_TAINTS, TAINT_NOT_READY, TAINT_UNREACHABLE } from '../api/taints.ts';
import type { NodeState } from './cluster-state.ts';

/** Whether the node satisfies the pod's nodeSelector and required node affinity. */
export function matchesNodeAffinity(pod: Pod, node: NodeState): boolean {
  const { labels } = node;
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (!required || matchesNodeSelector(required, { name: node.name, labels }));
}

/**
 * The taints that keep pods away. A node that is not Ready or short of something counts as tainted even before the node
 * controller has come round to tainting it.
 */
export function keepingAway(node: NodeState): Taint[] {
  const taints = (node.node?.spec.taints ?? []).filter(
    (taint) => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute',
  );
  const conditions = node.node?.status?.conditions ?? [];
  const keys = conditions.flatMap(({ status, type }) => (status === 'True' && CONDITION_TAINTS[type]) || []);
  const ready = conditionOf(node.node, 'Ready')?.status;
  if (ready !== 'True') keys.push(ready === 'False' ? TAINT_NOT_READY : TAINT_UNREACHABLE);
  const missing = keys.filter((key) => !taints.some((taint) => taint.key === key));
  return missing.length === 0
    ? taints
    : [...taints, ...missing.map((key) => ({ key, effect: 'NoSchedule' }))];
}
