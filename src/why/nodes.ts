// Why a pod fits on no node: what each node has against it, with what was asked and what is free. The questions are the
// scheduler's own; here its answers are told node by node.

import { claimRefKeys, classNameOf } from '../api/between/volume-binding.ts';
import { rootCause, type Waiting } from '../api/between/waiting.ts';
import type { Pod } from '../api/generated/types.ts';
import { keyOf, type Stored } from '../api/objects.ts';
import { isPodFinished } from '../api/pod-state.ts';
import { formatQuantity } from '../api/quantity.ts';
import { ClusterState, type NodeState } from '../scheduler/cluster-state.ts';
import { filterNode, type PodFacts, podFacts } from '../scheduler/filters.ts';
import type { Objection } from '../scheduler/objection.ts';
import { chooseVolumes, type PodVolumes, podVolumes, type StorageView } from '../scheduler/volumes.ts';
import type { Evidence } from './evidence.ts';

/** So many nodes, or groups of nodes that say the same, fit on a screen. */
const MOST_LINES = 8;
const MOST_NAMES = 3;

/** What every node has against the pod, a line for each or for those that say the same. */
export function nodeLines(pod: Stored<Pod>, evidence: Evidence): string[] {
  const cluster = clusterOf(evidence, pod);
  const facts = podFacts(pod, cluster);
  const storage = storageOf(evidence);
  const volumes = podVolumes(pod, storage);
  const groups = new Map<string, string[]>();
  for (const node of cluster.nodes.values()) {
    if (!node.node) continue;
    const said = against(facts, node, volumes, storage, evidence).join(', ') || 'nothing any more';
    groups.set(said, [...(groups.get(said) ?? []), node.name]);
  }
  const lines = [...groups].map(([said, names]) => `${namesOf(names)}: ${said}`);
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `and ${more} more with other reasons`] : lines;
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

function clusterOf({ objects }: Evidence, asking: Stored<Pod>): ClusterState {
  const labels = new Map(objects.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  const cluster = new ClusterState((namespace) => labels.get(namespace));
  for (const node of objects.nodes) cluster.setNode(node);
  for (const pod of objects.pods) {
    const { nodeName } = pod.spec;
    if (nodeName && !isPodFinished(pod) && pod.metadata.uid !== asking.metadata.uid)
      cluster.placePod(pod, nodeName);
  }
  return cluster;
}

function storageOf({ claim, namespace, objects, storageClass, volume }: Evidence): StorageView {
  return {
    claim: (of, name) => (of === namespace ? claim(name) : undefined),
    volume,
    storageClass,
    candidates: (wanting) =>
      objects.volumes.filter(
        (each) =>
          claimRefKeys(each).includes(keyOf(wanting)) ||
          (!each.spec.claimRef && classNameOf(each) === classNameOf(wanting)),
      ),
  };
}

function against(
  facts: PodFacts,
  node: NodeState,
  volumes: PodVolumes | Waiting,
  storage: StorageView,
  evidence: Evidence,
): string[] {
  const objections = filterNode(facts, node);
  if (objections.length > 0) return objections.map((objection) => withAmounts(objection, facts, node));
  if ('because' in volumes) return [rootCause(volumes).message];
  const choice = chooseVolumes(volumes, node, storage);
  if (!('said' in choice)) return [];
  const { name } = choice.volume?.metadata ?? {};
  const homes = name === undefined ? [] : homesOf(name, evidence);
  return [homes.length > 0 ? `volume ${name} lies on ${homes.join(', ')}` : choice.said];
}

function withAmounts({ lacks, said }: Objection, { requests }: PodFacts, node: NodeState): string {
  if (lacks === undefined) return said;
  if (lacks === 'pods') return `${node.pods.size} pods, and no more are allowed`;
  const allocatable = node.allocatable.get(lacks) ?? 0n;
  const free = allocatable - (node.requested.get(lacks) ?? 0n);
  const format = lacks === 'cpu' ? 'DecimalSI' : 'BinarySI';
  const text = (amount: bigint): string => formatQuantity(amount > 0n ? amount : 0n, format);
  return `${lacks}: ${text(requests.get(lacks) ?? 0n)} asked, ${text(free)} free of ${text(allocatable)}`;
}

/** The nodes, by name, to which a local volume is bound; empty if it can be reached from anywhere. */
export function homesOf(volumeName: string, { node: find, objects, volume: named }: Evidence): string[] {
  const terms = named(volumeName)?.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hostnames = terms.flatMap((term) =>
    (term.matchExpressions ?? [])
      .filter(({ key, operator }) => key === 'kubernetes.io/hostname' && operator === 'In')
      .flatMap(({ values }) => values ?? []),
  );
  return hostnames.map(
    (hostname) =>
      objects.nodes.find(({ metadata }) => metadata.labels?.['kubernetes.io/hostname'] === hostname)?.metadata
        .name ??
      find(hostname)?.metadata.name ??
      hostname,
  );
}
