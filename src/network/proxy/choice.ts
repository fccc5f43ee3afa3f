// Which endpoints of a Service's port traffic is led to: the ready ones, or those that are going and serve still; near ones,
// where the Service asks for it. Pure. Follows pkg/proxy/topology.go (CategorizeEndpoints).
import type { Place, ProxyEndpoint } from './endpoints.ts';

/** Which of its two traffic policies a Service makes use of. */
export interface UsedPolicies {
  cluster: boolean;
  local: boolean;
}

export interface Choice {
  /** For traffic of policy `Cluster`; empty if there is none of that. */
  cluster: readonly ProxyEndpoint[];
  /** For traffic of policy `Local`; empty if there is none of that. */
  local: readonly ProxyEndpoint[];
  /** Both together. */
  reachable: readonly ProxyEndpoint[];
  /** Whether there is an endpoint anywhere, on this node or not. */
  hasAny: boolean;
}

export function chooseEndpoints(
  endpoints: readonly ProxyEndpoint[],
  uses: UsedPolicies,
  place: Place,
): Choice {
  const usable = (among: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] => {
    const ready = among.filter(({ isReady }) => isReady);
    return ready.length > 0 ? ready : among.filter(isGoingButServes);
  };
  const ready = endpoints.filter(({ isReady }) => isReady);
  const cluster = uses.cluster ? usable(nearest(ready, place) ?? endpoints) : [];
  const local = uses.local ? usable(endpoints.filter(({ isLocal }) => isLocal)) : [];
  const hasAny = cluster.length > 0 || (uses.local && usable(endpoints).length > 0);
  return { cluster, local, reachable: [...new Set([...cluster, ...local])], hasAny };
}

const isGoingButServes = ({ isServing, isTerminating }: ProxyEndpoint): boolean => isServing && isTerminating;

/**
 * Those of the ready endpoints that are meant for this node or, if not all say for which node they are, for its zone.
 * Undefined if there are none: then all are as good.
 */
function nearest(
  ready: readonly ProxyEndpoint[],
  { nodeName, zone }: Place,
): readonly ProxyEndpoint[] | undefined {
  if (ready.length === 0) return undefined;
  if (ready.every(({ nodeHints }) => nodeHints.length > 0)) {
    const here = ready.filter(({ nodeHints }) => nodeHints.includes(nodeName));
    if (here.length > 0) return here;
  }
  if (zone === undefined || !ready.every(({ zoneHints }) => zoneHints.length > 0)) return undefined;
  const inZone = ready.filter(({ zoneHints }) => zoneHints.includes(zone));
  return inZone.length > 0 ? inZone : undefined;
}
