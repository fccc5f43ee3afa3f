// Which pod goes first when the node is short of disk, and what it is told (kubelet eviction/helpers.go,
// rankDiskPressureFunc and evictionMessage). Pure.
import type { Pod } from '../../api/generated/types.ts';
import { podRequests } from '../../api/pod-resources.ts';
import { isCriticalPod } from '../../api/pod-state.ts';
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import type { Disks } from './disks.ts';
import { observationOf, type Resource, resourceOf } from './plan.ts';
import { amountOf, type Signal, type Threshold } from './thresholds.ts';
import { type Part, type PodUsage, usedIn } from './usage.ts';

export interface Candidate {
  pod: Pod;
  /** Undefined: it could not be measured. */
  usage: PodUsage | undefined;
}

const STORAGE = 'ephemeral-storage';
const NANO = 1_000_000_000;
/** A pod that holds less than this share of the threshold is left alone: its end would free nothing. */
const WORTH_EVICTING = 0.01;

/** What of a pod lies on the disk of a signal. */
export function partsOn(signal: Signal, imagesApart: boolean): Part[] {
  if (!imagesApart) return ['layers', 'logs', 'volumes'];
  return signal.startsWith('imagefs.') ? ['layers'] : ['logs', 'volumes'];
}

/**
 * The pods that may be evicted for a threshold, first to go first: who uses more than it requested, then the lower
 * priority, then who uses most beyond its request. Who could not be measured goes before all others, as upstream.
 * Critical pods are left out, and, unlike upstream, pods that hold next to nothing.
 */
export function ranked(candidates: readonly Candidate[], threshold: Threshold, disks: Disks): Candidate[] {
  const resource = resourceOf(threshold.signal);
  const parts = partsOn(threshold.signal, disks.images !== undefined);
  const capacity = observationOf(disks, threshold.signal)?.capacity ?? 0;
  const least = amountOf(threshold.limit, capacity) * WORTH_EVICTING;
  const measured = candidates
    .filter(({ pod }) => !isCriticalPod(pod))
    .map((candidate) => {
      const { pod, usage } = candidate;
      const used = usage && amountIn(usedIn(usage, parts), resource);
      const requested = resource === 'inodes' ? 0 : Number(podRequests(pod).get(STORAGE) ?? 0n) / NANO;
      const beyond = used === undefined ? Number.POSITIVE_INFINITY : used - requested;
      return { candidate, used, beyond, priority: pod.spec.priority ?? 0 };
    })
    .filter(({ used }) => used === undefined || used > least);
  return measured
    .sort(
      (a, b) =>
        Number(b.used === undefined) - Number(a.used === undefined) ||
        Number(b.beyond > 0) - Number(a.beyond > 0) ||
        a.priority - b.priority ||
        b.beyond - a.beyond,
    )
    .map(({ candidate }) => candidate);
}

const amountIn = (used: { bytes: number; inodes: number }, resource: Resource): number =>
  resource === 'inodes' ? used.inodes : used.bytes;

/** Why a pod has to go, in upstream's words. */
export function evictionMessage({ pod, usage }: Candidate, threshold: Threshold, disks: Disks): string {
  const resource = resourceOf(threshold.signal);
  const sentences = [`The node was low on resource: ${resource}. `];
  const observed = observationOf(disks, threshold.signal);
  if (observed) {
    const quantity = text(amountOf(threshold.limit, observed.capacity), resource);
    sentences.push(`Threshold quantity: ${quantity}, available: ${text(observed.available, resource)}. `);
  }
  if (resource === 'inodes') return sentences.join('');
  for (const { name, resources } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    const used = usage?.containers.get(name);
    if (used === undefined) continue;
    const request = resources?.requests?.[STORAGE] ?? '0';
    const bytes = used.layer.bytes + used.logs.bytes;
    if (bytes <= Number(parseQuantity(request) ?? 0n) / NANO) continue;
    sentences.push(
      `Container ${name} was using ${text(bytes, resource)}, request is ${request}, has larger consumption of ${resource}. `,
    );
  }
  return sentences.join('');
}

function text(amount: number, resource: Resource): string {
  return formatQuantity(
    BigInt(Math.floor(amount)) * BigInt(NANO),
    resource === 'inodes' ? 'DecimalSI' : 'BinarySI',
  );
}
