// Topology spread constraints: how many matching pods each domain has, and whether one more on a node keeps the skew of
// those that must hold (whenUnsatisfiable: DoNotSchedule). How much the others count is score.ts'. Follows
// pkg/scheduler/framework/plugins/podtopologyspread.
import type { Pod, TopologySpreadConstraint } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { selectorOf } from '../api/selectors.ts';
import { untolerated } from '../api/taints.ts';
import type { ClusterState, NodeState } from './cluster-state.ts';
import { keepingAway, matchesNodeAffinity } from './node-match.ts';
import { type Objection, ofNodes } from './objection.ts';

/** One constraint with the matching pods of each of its domains. */
export interface Domains {
  constraint: TopologySpreadConstraint;
  counts: ReadonlyMap<string, number>;
  fewest: number;
  /** 1 if the pod itself counts once it is placed. */
  self: 0 | 1;
}

/** Costs the pods of the pod's namespace once per constraint; pods without constraints cost nothing. */
export function spreadDomains(
  pod: Stored<Pod>,
  cluster: ClusterState,
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway',
): Domains[] {
  const constraints = (pod.spec.topologySpreadConstraints ?? []).filter(
    (constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable,
  );
  const tolerations = pod.spec.tolerations ?? [];
  return constraints.map((constraint) => {
    const selector = selectorOf(withPodLabels(constraint, pod));
    const counts = new Map<string, number>();
    for (const node of cluster.nodes.values()) {
      const domain = node.labels[constraint.topologyKey];
      if (domain === undefined || !node.node) continue;
      if (constraint.nodeAffinityPolicy !== 'Ignore' && !matchesNodeAffinity(pod, node)) continue;
      if (constraint.nodeTaintsPolicy === 'Honor' && untolerated(keepingAway(node), tolerations)) continue;
      let count = counts.get(domain) ?? 0;
      for (const { pod: other } of node.pods.values()) {
        const counted =
          other.metadata.namespace === pod.metadata.namespace && !other.metadata.deletionTimestamp;
        if (counted && selector.matches(other.metadata.labels)) count++;
      }
      counts.set(domain, count);
    }
    const enoughDomains = counts.size >= (constraint.minDomains ?? 1);
    return {
      constraint,
      counts,
      fewest: enoughDomains ? Math.min(...counts.values()) : 0,
      self: selector.matches(pod.metadata.labels) ? 1 : 0,
    };
  });
}

function withPodLabels(
  constraint: TopologySpreadConstraint,
  pod: Pod,
): TopologySpreadConstraint['labelSelector'] {
  const keys = constraint.matchLabelKeys ?? [];
  if (!constraint.labelSelector || keys.length === 0) return constraint.labelSelector;
  const own = Object.entries(pod.metadata.labels ?? {}).filter(([key]) => keys.includes(key));
  return {
    ...constraint.labelSelector,
    matchLabels: { ...constraint.labelSelector.matchLabels, ...Object.fromEntries(own) },
  };
}

/** Which of the constraints one more pod on the node would break. */
export function spreadObjections(domains: readonly Domains[], node: NodeState): readonly Objection[] {
  for (const { constraint, counts, fewest, self } of domains) {
    const domain = node.labels[constraint.topologyKey];
    if (domain === undefined) {
      return [ofNodes("didn't match pod topology spread constraints (missing required label)")];
    }
    if ((counts.get(domain) ?? 0) + self - fewest > constraint.maxSkew) {
      return [ofNodes("didn't match pod topology spread constraints")];
    }
  }
  return [];
}
