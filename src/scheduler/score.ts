// Which of the nodes that would do is the best: the least used, with the fewest pods of the same controller, and
// what the pod prefers. Ties go to the node whose name comes first, so that equal worlds give equal decisions.
import { matchesNodeSelectorTerm } from '../api/node-selector.ts';
import { controllerOf } from '../api/objects.ts';
import type { Amounts } from '../api/pod-resources.ts';
import { tolerates } from '../api/taints.ts';
import type { NodeState } from './cluster-state.ts';
import type { PodFacts } from './filters.ts';
import { podRequestsForScore } from './requests.ts';

const SCORED_RESOURCES = ['cpu', 'memory'] as const;
/**
 * As upstream weighs its plugins: NodeResourcesFit 1, PodTopologySpread 2, NodeAffinity 2, InterPodAffinity 2,
 * TaintToleration 3.
 */
const WEIGHTS = { leastAllocated: 1, spread: 2, nodeAffinity: 2, podAffinity: 2, taints: 3 };

/** The best of the nodes; undefined if there are none. */
export function bestNode(facts: PodFacts, nodes: readonly NodeState[]): NodeState | undefined {
  if (nodes.length <= 1) return nodes[0];
  const requests = podRequestsForScore(facts.pod);
  const controller = controllerOf(facts.pod)?.uid;
  const siblings = nodes.map((node) => (controller ? (node.podsOfController.get(controller) ?? 0) : 0));
  const preferred = nodes.map((node) => preference(facts, node));
  const repelling = nodes.map((node) => softTaints(facts, node));
  const spreadScore = share(siblings);
  const affinityScore = share(preferred);
  const taintScore = share(repelling);
  const company = between(nodes.map((node) => companyOf(facts, node)));
  const crowding = between(nodes.map((node) => crowdingOf(facts, node)));
  let best: NodeState | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  nodes.forEach((node, index) => {
    const score =
      WEIGHTS.leastAllocated * leastAllocated(requests, node) +
      WEIGHTS.spread * (100 - (spreadScore[index] ?? 0)) +
      WEIGHTS.nodeAffinity * (affinityScore[index] ?? 0) +
      WEIGHTS.podAffinity * (company[index] ?? 0) -
      WEIGHTS.spread * (crowding[index] ?? 0) +
      WEIGHTS.taints * (100 - (taintScore[index] ?? 0));
    if (!best || score > bestScore || (score === bestScore && node.name < best.name)) {
      best = node;
      bestScore = score;
    }
  });
  return best;
}

/** Each value as a percentage of the greatest. */
function share(values: readonly number[]): number[] {
  const greatest = Math.max(...values);
  return values.map((value) => (greatest > 0 ? Math.floor((100 * value) / greatest) : 0));
}

/** Each value as a percentage of the way from the least to the greatest. */
function between(values: readonly number[]): number[] {
  const least = Math.min(...values);
  return share(values.map((value) => value - least));
}

/** How many pods are around that this one wants to be near, less those that it wants to be far from, as it weighs them. */
function companyOf({ preferred }: PodFacts, { labels }: NodeState): number {
  return preferred.reduce(
    (sum, { group, weight, counts }) => sum + weight * (counts.get(labels[group.topologyKey] ?? '') ?? 0),
    0,
  );
}

/** How many pods are in the node's domains that this one would like to be spread against; outside, it is full. */
function crowdingOf({ preferredSpread }: PodFacts, { labels }: NodeState): number {
  return preferredSpread.reduce((sum, { constraint, counts }) => {
    const domain = labels[constraint.topologyKey];
    return sum + (domain === undefined ? Math.max(0, ...counts.values()) : (counts.get(domain) ?? 0));
  }, 0);
}

/** 0 (full) to 100 (empty): the mean of what would be free of cpu and memory (noderesources/least_allocated.go). */
function leastAllocated(requests: Amounts, node: NodeState): number {
  let sum = 0;
  for (const name of SCORED_RESOURCES) {
    const all = node.allocatable.get(name) ?? 0n;
    const used = (node.requestedForScore.get(name) ?? 0n) + (requests.get(name) ?? 0n);
    if (all > 0n && used <= all) sum += Number(((all - used) * 100n) / all);
  }
  return Math.floor(sum / SCORED_RESOURCES.length);
}

function preference({ pod }: PodFacts, { name, labels }: NodeState): number {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.reduce(
    (sum, term) => (matchesNodeSelectorTerm(term.preference, { name, labels }) ? sum + term.weight : sum),
    0,
  );
}

function softTaints({ pod }: PodFacts, { node }: NodeState): number {
  const tolerations = pod.spec.tolerations ?? [];
  return (node?.spec.taints ?? []).filter(
    (taint) =>
      taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  ).length;
}
