// What a pod takes in all: its containers, sidecars, init containers, its own resources and its overhead. Amounts are
// bigints in nano-units (1 core = 10⁹, 1 byte = 10⁹), the unit of quantity.ts. Follows component-helpers/resource.
import type { Container, Pod } from './generated/types.ts';
import { isSidecar } from './pod-state.ts';
import { amountOf } from './quantity.ts';

export type Amounts = Map<string, bigint>;

export function amountsOf(list: Record<string, string> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(text)]));
}

export function addTo(sum: Amounts, other: Amounts): void {
  for (const [name, amount] of other) sum.set(name, (sum.get(name) ?? 0n) + amount);
}

function raiseTo(sum: Amounts, other: Amounts): void {
  for (const [name, amount] of other) if (amount > (sum.get(name) ?? 0n)) sum.set(name, amount);
}

const plus = (a: Amounts, b: Amounts): Amounts => {
  const sum = new Map(a);
  addTo(sum, b);
  return sum;
};

/**
 * What the pod requests: its containers and sidecars together, or, if that is more, the greatest moment of its start;
 * its own resources where set; and its overhead (PodRequests).
 */
export function podRequests(pod: Pod): Amounts {
  return podRequestsBy(pod, (container) => amountsOf(container.resources?.requests));
}

/** The same, with the requests of a container as the caller sees them. */
export function podRequestsBy(pod: Pod, requestsOf: (container: Container) => Amounts): Amounts {
  const sum = sumOver(pod, requestsOf);
  for (const [name, amount] of amountsOf(pod.spec.resources?.requests)) sum.set(name, amount);
  addTo(sum, amountsOf(pod.spec.overhead));
  return sum;
}

/** What the pod holds of its node, which is more than it requests while a resize is under way (UseStatusResources). */
export function podRequestsHeld(pod: Pod): Amounts {
  return podRequestsBy(pod, requestsHeldIn(pod));
}

/**
 * What each container of a pod holds: the most of what it requests, was given and has. A resize that its node can never
 * grant takes nothing.
 */
export function requestsHeldIn(pod: Pod): (container: Container) => Amounts {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const given = new Map(
    [...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]),
  );
  const isInfeasible = conditions.some(
    ({ type, status, reason }) => type === 'PodResizePending' && status === 'True' && reason === 'Infeasible',
  );
  return (container) => {
    const status = given.get(container.name);
    const amounts = isInfeasible && status?.resources ? new Map() : amountsOf(container.resources?.requests);
    raiseTo(amounts, amountsOf(status?.resources?.requests));
    raiseTo(amounts, amountsOf(status?.allocatedResources));
    return amounts;
  };
}

/** What the pod is limited to; overhead counts only for what is limited (PodLimits). */
export function podLimits(pod: Pod): Amounts {
  const sum = sumOver(pod, (container) => amountsOf(container.resources?.limits));
  for (const [name, amount] of amountsOf(pod.spec.resources?.limits)) sum.set(name, amount);
  for (const [name, amount] of amountsOf(pod.spec.overhead)) {
    const limit = sum.get(name);
    if (limit !== undefined) sum.set(name, limit + amount);
  }
  return sum;
}

function sumOver(pod: Pod, amountsIn: (container: Container) => Amounts): Amounts {
  const running: Amounts = new Map();
  for (const container of pod.spec.containers) addTo(running, amountsIn(container));
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of pod.spec.initContainers ?? []) {
    const amounts = amountsIn(container);
    if (isSidecar(container)) {
      addTo(running, amounts);
      addTo(sidecars, amounts);
      raiseTo(starting, sidecars);
    } else raiseTo(starting, plus(sidecars, amounts));
  }
  raiseTo(running, starting);
  return running;
}
