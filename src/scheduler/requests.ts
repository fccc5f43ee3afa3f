// What a pod takes from a node: the resources that it requests, and the host's ports. Amounts are bigints in
// nano-units (1 core = 10⁹, 1 byte = 10⁹), the unit of api/quantity.ts.
import type { Container, Pod } from '../api/generated/types.ts';
import { parseQuantity } from '../api/quantity.ts';

export type Amounts = Map<string, bigint>;

/** What upstream's scoring assumes of a container that requests nothing: 100 millicores, 200 MB. */
const UNREQUESTED: Readonly<Record<string, bigint>> = {
  cpu: 100_000_000n,
  memory: 200n * 1024n * 1024n * 1_000_000_000n,
};

export function amountsOf(list: Record<string, string> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text) ?? 0n]));
}

function addTo(sum: Amounts, other: Amounts): void {
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
 * What the pod requests in all: its containers and sidecars together, or, if that is more, the greatest moment of
 * its start; its own resources where set; and its overhead (component-helpers/resource, PodRequests).
 */
export function podRequests(pod: Pod): Amounts {
  return sumOver(pod, (container) => amountsOf(container.resources?.requests));
}

/** The same for scoring: who requests nothing still uses something (`NonMissingContainerRequests` upstream). */
export function podRequestsForScore(pod: Pod): Amounts {
  return sumOver(pod, (container) => {
    const amounts = amountsOf(container.resources?.requests);
    for (const [name, amount] of Object.entries(UNREQUESTED))
      if (!amounts.has(name)) amounts.set(name, amount);
    return amounts;
  });
}

function sumOver(pod: Pod, requestsOf: (container: Container) => Amounts): Amounts {
  const running: Amounts = new Map();
  for (const container of pod.spec.containers) addTo(running, requestsOf(container));
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of pod.spec.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      addTo(running, requests);
      addTo(sidecars, requests);
      raiseTo(starting, sidecars);
    } else raiseTo(starting, plus(sidecars, requests));
  }
  raiseTo(running, starting);
  for (const [name, amount] of amountsOf(pod.spec.resources?.requests)) running.set(name, amount);
  addTo(running, amountsOf(pod.spec.overhead));
  return running;
}

/** One port of the host. */
export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

const ANY_IP = '0.0.0.0';

export function hostPortsOf(pod: Pod): HostPort[] {
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ];
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || ANY_IP, protocol: protocol ?? 'TCP', port: hostPort }] : [],
    ),
  );
}

/** Whether two host ports cannot be held at once: an address of `0.0.0.0` (or `::`) is every address. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || isAnyIp(a.ip) || isAnyIp(b.ip));
}

const isAnyIp = (ip: string): boolean => ip === ANY_IP || ip === '::';
