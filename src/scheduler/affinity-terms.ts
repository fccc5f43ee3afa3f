// Counts for inter-pod affinity, kept as pods come and go: per group of terms and topology value, how many pods
// match, and how many carry an anti-affinity term. A decision then costs what the pod's own terms cost, not the
// number of pods in the cluster.
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../api/generated/types.ts';
import { type Selector, selectorOf } from '../api/selectors.ts';

/** Where a pod is: its node's labels. */
type Labels = Readonly<Record<string, string>>;

interface ResolvedTerm {
  /** Undefined: every namespace that `namespaceSelector` selects. */
  namespaces: ReadonlySet<string>;
  namespaceSelector: Selector | undefined;
  selector: Selector;
}

/** Terms that a pod must match all at once, in one topology. */
export interface TermGroup {
  signature: string;
  topologyKey: string;
  terms: readonly ResolvedTerm[];
}

function resolve(term: PodAffinityTerm, ownNamespace: string): ResolvedTerm {
  const named = term.namespaces ?? [];
  return {
    namespaces: new Set(named.length === 0 && !term.namespaceSelector ? [ownNamespace] : named),
    namespaceSelector: term.namespaceSelector ? selectorOf(term.namespaceSelector) : undefined,
    selector: selectorOf(term.labelSelector),
  };
}

function group(terms: readonly PodAffinityTerm[], topologyKey: string, namespace: string): TermGroup {
  const facts = terms.map((term) => [
    term.namespaces ?? [],
    term.namespaceSelector ?? null,
    term.labelSelector ?? null,
    (term.namespaces ?? []).length === 0 && !term.namespaceSelector ? namespace : '',
  ]);
  return {
    signature: JSON.stringify([topologyKey, facts]),
    topologyKey,
    terms: terms.map((term) => resolve(term, namespace)),
  };
}

/**
 * The pod's required affinity: one group per topology, each holding all the terms, since only pods that match
 * every term count (interpodaffinity's podMatchesAllAffinityTerms).
 */
export function affinityGroups(pod: Pod): TermGroup[] {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const keys = [...new Set(terms.map((term) => term.topologyKey))];
  return keys.map((key) => group(terms, key, pod.metadata.namespace ?? ''));
}

/** The pod's required anti-affinity: every term for itself. */
export function antiAffinityGroups(pod: Pod): TermGroup[] {
  const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map((term) => group([term], term.topologyKey, pod.metadata.namespace ?? ''));
}

/** A term that is better kept than not; one to stay away from has a weight below zero. */
export interface PreferredGroup {
  group: TermGroup;
  weight: number;
}

/** The affinity and anti-affinity that the pod would like to be kept: every term for itself. */
export function preferredGroups(pod: Pod): PreferredGroup[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const groupsOf = (terms: readonly WeightedPodAffinityTerm[] | undefined, sign: 1 | -1): PreferredGroup[] =>
    (terms ?? []).map(({ podAffinityTerm: term, weight }) => ({
      group: group([term], term.topologyKey, pod.metadata.namespace ?? ''),
      weight: sign * weight,
    }));
  return [
    ...groupsOf(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
    ...groupsOf(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
  ];
}

/** The labels of a namespace, for namespaceSelector. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

export function matchesGroup(pod: Pod, terms: TermGroup, labelsOf: NamespaceLabels): boolean {
  const namespace = pod.metadata.namespace ?? '';
  return terms.terms.every(
    (term) =>
      (term.namespaces.has(namespace) ||
        (term.namespaceSelector?.matches({ ...labelsOf(namespace) }) ?? false)) &&
      term.selector.matches(pod.metadata.labels),
  );
}

interface Counter {
  group: TermGroup;
  /** Pods by the value of the topology key on their node. */
  counts: Map<string, number>;
}

/** How many groups are counted at once; beyond it the one unused for longest is forgotten, and counted anew. */
const MAX_COUNTED_GROUPS = 1000;

export class AffinityCounts {
  readonly #labelsOf: NamespaceLabels;
  /** Pods that match a group somebody asked about. */
  readonly #matching = new Map<string, Counter>();
  /** Pods that carry an anti-affinity term. */
  readonly #carrying = new Map<string, Counter>();

  constructor(labelsOf: NamespaceLabels) {
    this.#labelsOf = labelsOf;
  }

  /** Counts a pod in (`step` 1) or out (-1) on a node with these labels. */
  count(pod: Pod, nodeLabels: Labels, step: 1 | -1): void {
    for (const counter of this.#matching.values()) {
      if (matchesGroup(pod, counter.group, this.#labelsOf)) bump(counter, nodeLabels, step);
    }
    for (const terms of antiAffinityGroups(pod)) {
      const counter = this.#carrying.get(terms.signature) ?? { group: terms, counts: new Map() };
      this.#carrying.set(terms.signature, counter);
      bump(counter, nodeLabels, step);
      if (counter.counts.size === 0) this.#carrying.delete(terms.signature);
    }
  }

  /**
   * How many pods match the group, by topology value.
   * @param placed all pods with their nodes' labels; read only the first time that a group is asked about.
   */
  matching(terms: TermGroup, placed: () => Iterable<[Pod, Labels]>): ReadonlyMap<string, number> {
    let counter = this.#matching.get(terms.signature);
    if (counter) this.#matching.delete(terms.signature);
    else {
      counter = { group: terms, counts: new Map() };
      for (const [pod, labels] of placed()) {
        if (matchesGroup(pod, terms, this.#labelsOf)) bump(counter, labels, 1);
      }
    }
    this.#matching.set(terms.signature, counter);
    if (this.#matching.size > MAX_COUNTED_GROUPS) {
      for (const oldest of this.#matching.keys()) {
        this.#matching.delete(oldest);
        break;
      }
    }
    return counter.counts;
  }

  /** The topologies in which a pod with an anti-affinity term that this pod matches already is. */
  *repelling(pod: Pod): Generator<{ topologyKey: string; values: ReadonlyMap<string, number> }> {
    for (const { group: terms, counts } of this.#carrying.values()) {
      if (matchesGroup(pod, terms, this.#labelsOf)) yield { topologyKey: terms.topologyKey, values: counts };
    }
  }
}

function bump(counter: Counter, labels: Labels, step: 1 | -1): void {
  const value = labels[counter.group.topologyKey];
  if (value === undefined) return;
  const count = (counter.counts.get(value) ?? 0) + step;
  if (count === 0) counter.counts.delete(value);
  else counter.counts.set(value, count);
}
