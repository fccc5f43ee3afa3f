// Resizing a pod in place: which resources its containers are allocated on this node, and whether those that its
// spec asks for now can be (kubelet allocation/allocation_manager.go). Pure.

import type { Container, Pod, ResourceRequirements } from '../../../api/generated/types.ts';
import { podRequests } from '../../../api/pod-resources.ts';
import { compareQuantities } from '../../../api/quantity.ts';
import type { ResizePending } from './observation.ts';
import { allContainers } from './view.ts';

const RESIZABLE = ['cpu', 'memory'] as const;
type Resizable = (typeof RESIZABLE)[number];

/** By container: the resources that the node has given it, which its spec may have left behind. */
export type Allocation = ReadonlyMap<string, ResourceRequirements>;

export interface NodeCapacity {
  cpuCores: number;
  memoryBytes: number;
}

/** What a pod's containers ask for. */
export function allocationOf(pod: Pod): Allocation {
  return new Map(allContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));
}

/** What a pod was given before this agent began: what its status says, or else what it asks for. */
export function reportedAllocation(pod: Pod): Allocation {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const reported = new Map(
    [...initContainerStatuses, ...containerStatuses].map(({ name, resources }) => [name, resources]),
  );
  return new Map(
    allContainers(pod).map(({ name, resources = {} }) => {
      const { claims, ...own } = resources;
      const before = reported.get(name) ?? own;
      return [name, claims ? { ...before, claims } : before];
    }),
  );
}

/** The pod as it is to run: with the resources that it has been given. */
export function withAllocation<P extends Pod>(pod: P, allocation: Allocation): P {
  const given = (container: Container): Container => {
    const resources = allocation.get(container.name);
    if (!resources || resizedResources(container.resources, resources).length === 0) return container;
    return { ...container, resources };
  };
  const containers = pod.spec.containers.map(given);
  const initContainers = (pod.spec.initContainers ?? []).map(given);
  const isAsSpecified =
    containers.every((container, index) => container === pod.spec.containers[index]) &&
    initContainers.every((container, index) => container === pod.spec.initContainers?.[index]);
  if (isAsSpecified) return pod;
  return { ...pod, spec: { ...pod.spec, containers, ...(pod.spec.initContainers && { initContainers }) } };
}

/** Of cpu and memory, those that differ in a request or a limit. */
export function resizedResources(
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): Resizable[] {
  if (a === b) return [];
  return RESIZABLE.filter((resource) =>
    (['requests', 'limits'] as const).some((kind) => {
      const [first, second] = [a?.[kind]?.[resource], b?.[kind]?.[resource]];
      if (first === undefined || second === undefined) return first !== second;
      return compareQuantities(first, second) !== 0;
    }),
  );
}

/**
 * Whether the pod may have what it asks for.
 * @param others every other pod of the node that is not over, with what it has been given.
 * @returns undefined if it may.
 */
export function whyNotResized(
  pod: Pod,
  capacity: NodeCapacity,
  others: () => Iterable<Pod>,
): ResizePending | undefined {
  const wanted = podRequests(pod);
  for (const resource of RESIZABLE) {
    const requested = amount(wanted.get(resource), resource);
    const available = capacityOf(capacity, resource);
    if (requested > available) {
      const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${available}`;
      return { reason: 'Infeasible', message };
    }
  }
  const used = { cpu: 0, memory: 0 };
  for (const other of others()) {
    const requests = podRequests(other);
    for (const resource of RESIZABLE) used[resource] += amount(requests.get(resource), resource);
  }
  for (const resource of RESIZABLE) {
    const requested = amount(wanted.get(resource), resource);
    const available = capacityOf(capacity, resource);
    if (requested > 0 && used[resource] + requested > available) {
      const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used[resource]}, capacity: ${available}`;
      return { reason: 'Deferred', message };
    }
  }
  return undefined;
}

const NANO = 1_000_000_000n;
const MICRO = 1_000_000n;

/** Nano-units as upstream's messages count: thousandths of a core, bytes. */
function amount(nano: bigint | undefined, resource: Resizable): number {
  return Number((nano ?? 0n) / (resource === 'cpu' ? MICRO : NANO));
}

function capacityOf({ cpuCores, memoryBytes }: NodeCapacity, resource: Resizable): number {
  return resource === 'cpu' ? cpuCores * 1000 : memoryBytes;
}

/** Whether a change of these resources takes a restart of the container (its resizePolicy). */
export function needsRestart(container: Container, resized: readonly Resizable[]): boolean {
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && resized.some((resource) => resource === resourceName),
  );
}
