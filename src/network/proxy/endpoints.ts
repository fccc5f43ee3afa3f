// What stands behind a port of a Service: pods, as they are at this moment and not as slices tell of them later, and what
// others have written in slices. Pure. Follows pkg/proxy/endpointslicecache.go and endpoint.go.
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import {
  ENDPOINT_SLICE_CONTROLLER,
  endpointOf,
  hasEndpoint,
  MANAGED_BY,
  portsOf,
  selectsPods,
} from '../../api/service-endpoints.ts';
import { addressesOfFamily, type Family } from './family.ts';

/** An address and port that a Service's traffic may be led to. */
export interface ProxyEndpoint {
  address: string;
  port: number;
  /** Whether it is on this node. */
  isLocal: boolean;
  isReady: boolean;
  isServing: boolean;
  isTerminating: boolean;
  /** The nodes and zones whose traffic it should have. */
  nodeHints: readonly string[];
  zoneHints: readonly string[];
}

/** Where the traffic comes from. */
export interface Place {
  nodeName: string;
  /** The zone of the node, if it is in one. */
  zone: string | undefined;
}

/** What a Service's endpoints are made from. */
export interface Backing {
  /** The pods that the Service selects. */
  pods: readonly Stored<Pod>[];
  /** All slices of the Service. */
  slices: readonly Stored<EndpointSlice>[];
}

/** The endpoints of one port, each address and port once, in an order that is always the same. */
export function endpointsOf(
  service: Stored<Service>,
  port: ServicePort,
  family: Family,
  { pods, slices }: Backing,
  place: Place,
): ProxyEndpoint[] {
  const found = new Map<string, ProxyEndpoint>();
  const add = (endpoint: Endpoint, number: number | undefined, hints: Endpoint['hints']): void => {
    const [address] = addressesOfFamily(family, endpoint.addresses.slice(0, 1));
    if (address === undefined || number === undefined) return;
    const { ready, serving, terminating = false } = endpoint.conditions ?? {};
    const key = `${address} ${number}`;
    // One that is moved from slice to slice is in both for a moment.
    if (found.get(key)?.isReady) return;
    found.set(key, {
      address,
      port: number,
      isLocal: endpoint.nodeName === place.nodeName,
      isReady: ready !== false,
      isServing: serving ?? ready !== false,
      isTerminating: terminating,
      nodeHints: (hints?.forNodes ?? []).map(({ name }) => name),
      zoneHints: (hints?.forZones ?? []).map(({ name }) => name),
    });
  };
  const isOurs = ({ name = '', protocol = 'TCP' }: { name?: string; protocol?: string }): boolean =>
    name === (port.name ?? '') && protocol === (port.protocol ?? 'TCP');
  for (const pod of pods) {
    if (!hasEndpoint(pod)) continue;
    const endpoint = endpointOf(pod, service, family.name, undefined);
    const number = portsOf(service, pod).find(isOurs)?.port;
    if (endpoint) add(endpoint, number, hintsOf(service, endpoint, place));
  }
  for (const slice of slices) {
    if (slice.addressType !== family.name) continue;
    if (selectsPods(service) && slice.metadata.labels?.[MANAGED_BY] === ENDPOINT_SLICE_CONTROLLER) continue;
    const number = slice.ports?.find(isOurs)?.port;
    for (const endpoint of slice.endpoints ?? []) add(endpoint, number, endpoint.hints);
  }
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}

/** What the endpointslice controller is to write by `trafficDistribution` (endpointslice/trafficdist). */
function hintsOf(service: Service, { nodeName }: Endpoint, place: Place): Endpoint['hints'] {
  const zone = nodeName === place.nodeName ? place.zone : undefined;
  const forZones = zone ? [{ name: zone }] : [];
  switch (service.spec.trafficDistribution) {
    case 'PreferSameNode':
      return { forZones, forNodes: nodeName ? [{ name: nodeName }] : [] };
    case 'PreferClose':
    case 'PreferSameZone':
      return { forZones };
    default:
      return undefined;
  }
}
