// What a pod takes from a node beside what it requests: what scoring assumes that it uses, and the host's ports.
import type { Pod } from '../api/generated/types.ts';
import { type Amounts, podRequestsBy, requestsHeldIn } from '../api/pod-resources.ts';
import { isSidecar } from '../api/pod-state.ts';

/** What upstream's scoring assumes of a container that requests nothing: 100 millicores, 200 MB. */
const UNREQUESTED: Readonly<Record<string, bigint>> = {
  cpu: 100_000_000n,
  memory: 200n * 1024n * 1024n * 1_000_000_000n,
};

/** What the pod requests, for scoring: who requests nothing still uses something (`NonMissingContainerRequests`). */
export function podRequestsForScore(pod: Pod): Amounts {
  const requestsHeld = requestsHeldIn(pod);
  return podRequestsBy(pod, (container) => {
    const amounts = requestsHeld(container);
    for (const [name, amount] of Object.entries(UNREQUESTED))
      if (!amounts.has(name)) amounts.set(name, amount);
    return amounts;
  });
}

/** One port of the host. */
export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

const ANY_IP = '0.0.0.0';

export function hostPortsOf(pod: Pod): HostPort[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
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
