// Whether a pod may run on a node: one question per function, each answered with what speaks against it (empty: it
// may). In upstream's order (pkg/scheduler/framework/plugins), of which the first that says no is the one that is told.

import { isConditionTrue } from '../api/conditions.ts';
import type { Pod, Taint } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { type Amounts, podRequests } from '../api/pod-resources.ts';
import { isCriticalPod } from '../api/pod-state.ts';
import { TAINT_UNSCHEDULABLE, untolerated } from '../api/taints.ts';
import {
  affinityGroups,
  antiAffinityGroups,
  matchesGroup,
  preferredGroups,
  type TermGroup,
} from './affinity-terms.ts';
import type { ClusterState, NodeState } from './cluster-state.ts';
import { keepingAway, matchesNodeAffinity } from './node-match.ts';
import { lacking, type Objection, ofNodes } from './objection.ts';
import { type HostPort, hostPortsOf, portsConflict } from './requests.ts';
import { type Domains, spreadDomains, spreadObjections } from './topology-spread.ts';

/** What is worked out once per pod and then asked of every node. */
export interface PodFacts {
  pod: Stored<Pod>;
  requests: Amounts;
  hostPorts: HostPort[];
  affinity: { group: TermGroup; counts: ReadonlyMap<string, number> }[];
  antiAffinity: { group: TermGroup; counts: ReadonlyMap<string, number> }[];
  /** Where pods already are whose anti-affinity means this pod. */
  repelledFrom: { topologyKey: string; values: ReadonlyMap<string, number> }[];
  /** No pod matches the pod's own affinity yet, but it does itself: it may be the first. */
  isFirstOfItsAffinity: boolean;
  spread: Domains[];
  /** What the pod would like: where pods are that it wants to be near, or (weight below zero) far from. */
  preferred: { group: TermGroup; weight: number; counts: ReadonlyMap<string, number> }[];
  preferredSpread: Domains[];
}

export function podFacts(pod: Stored<Pod>, cluster: ClusterState): PodFacts {
  const count = (group: TermGroup) => ({ group, counts: cluster.affinity.matching(group, cluster.placed) });
  const affinity = affinityGroups(pod).map(count);
  return {
    pod,
    requests: podRequests(pod),
    hostPorts: hostPortsOf(pod),
    affinity,
    antiAffinity: antiAffinityGroups(pod).map(count),
    repelledFrom: [...cluster.affinity.repelling(pod)],
    isFirstOfItsAffinity:
      affinity.every(({ counts }) => counts.size === 0) &&
      affinity.every(({ group }) => matchesGroup(pod, group, cluster.namespaceLabels)),
    spread: spreadDomains(pod, cluster, 'DoNotSchedule'),
    preferred: preferredGroups(pod).map(({ group, weight }) => ({ ...count(group), weight })),
    preferredSpread: spreadDomains(pod, cluster, 'ScheduleAnyway'),
  };
}

type Filter = (facts: PodFacts, node: NodeState) => readonly Objection[];

const unschedulable: Filter = ({ pod }, { node }) => {
  if (!node?.spec.unschedulable) return [];
  const taint: Taint = { key: TAINT_UNSCHEDULABLE, effect: 'NoSchedule' };
  return untolerated([taint], pod.spec.tolerations ?? []) ? [ofNodes('were unschedulable')] : [];
};

const taints: Filter = ({ pod }, node) => {
  const taint = untolerated(keepingAway(node), pod.spec.tolerations ?? []);
  return taint ? [ofNodes(`had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)] : [];
};

/**
 * A node that is short of disk takes no pod but critical ones, whatever it tolerates: it would fail there, and its set
 * would make it again, as fast as both can.
 */
const diskPressure: Filter = ({ pod }, { node }) => {
  return isConditionTrue(node, 'DiskPressure') && !isCriticalPod(pod) ? [ofNodes('had disk pressure')] : [];
};

const nodeAffinity: Filter = ({ pod }, node) =>
  matchesNodeAffinity(pod, node) ? [] : [ofNodes("didn't match Pod's node affinity/selector")];

const hostPorts: Filter = (facts, node) => {
  if (facts.hostPorts.length === 0) return [];
  for (const taken of node.hostPorts.values()) {
    if (taken.some((port) => facts.hostPorts.some((wanted) => portsConflict(port, wanted)))) {
      return [ofNodes("didn't have free ports for the requested pod ports")];
    }
  }
  return [];
};

const resources: Filter = ({ requests }, node) => {
  const reasons: Objection[] = [];
  const maxPods = node.allocatable.get('pods') ?? 0n;
  if (BigInt(node.pods.size + 1) * 1_000_000_000n > maxPods) reasons.push(lacking('pods', 'Too many pods'));
  for (const [name, amount] of requests) {
    if (amount === 0n) continue;
    const free = (node.allocatable.get(name) ?? 0n) - (node.requested.get(name) ?? 0n);
    if (amount > free) reasons.push(lacking(name, `Insufficient ${name}`));
  }
  return reasons;
};

const interPodAffinity: Filter = (facts, { labels }) => {
  const isIn = (key: string, counts: ReadonlyMap<string, number>): boolean => {
    const value = labels[key];
    return value !== undefined && counts.has(value);
  };
  for (const { group, counts } of facts.affinity) {
    if (isIn(group.topologyKey, counts)) continue;
    if (facts.isFirstOfItsAffinity && labels[group.topologyKey] !== undefined) continue;
    return [ofNodes("didn't match pod affinity rules")];
  }
  if (facts.antiAffinity.some(({ group, counts }) => isIn(group.topologyKey, counts))) {
    return [ofNodes("didn't match pod anti-affinity rules")];
  }
  if (facts.repelledFrom.some(({ topologyKey, values }) => isIn(topologyKey, values))) {
    return [ofNodes("didn't satisfy existing pods anti-affinity rules")];
  }
  return [];
};

const topologySpread: Filter = (facts, node) => spreadObjections(facts.spread, node);

const FILTERS: readonly Filter[] = [
  unschedulable,
  taints,
  diskPressure,
  nodeAffinity,
  hostPorts,
  resources,
  topologySpread,
  interPodAffinity,
];

/** Why the pod may not run on the node, volumes apart; empty if it may. */
export function filterNode(facts: PodFacts, node: NodeState): readonly Objection[] {
  for (const filter of FILTERS) {
    const reasons = filter(facts, node);
    if (reasons.length > 0) return reasons;
  }
  return [];
}
