// What is behind a headless Service: the addresses that its name answers, with the hostnames and ports that they have
// there. Pure.
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { addressTypesOf, endpointOf, hasEndpoint, portsOf } from '../../api/service-endpoints.ts';

/** One address of a Service with the ports it listens on. */
export interface Backend {
  /** Its name below the Service's; empty for an address of the Service itself. */
  hostname: string;
  address: string;
  ports: readonly { name: string; protocol: string; port: number }[];
}

/**
 * The pods that the Service selects, as far as they are ready or the Service publishes those that are not. What the
 * endpointslice controller is going to write of them, without waiting for it.
 */
export function backendsOfPods(service: Stored<Service>, pods: readonly Stored<Pod>[]): Backend[] {
  const types = addressTypesOf(service);
  return pods.filter(hasEndpoint).flatMap((pod) => {
    const ports = portsOf(service, pod).map(({ name = '', protocol = 'TCP', port = 0 }) => ({
      name,
      protocol,
      port,
    }));
    return types.flatMap((type) => {
      const endpoint = endpointOf(pod, service, type, undefined);
      if (!endpoint?.conditions?.ready) return [];
      return endpoint.addresses.map((address) => ({
        hostname: endpoint.hostname ?? dashed(address),
        address,
        ports,
      }));
    });
  });
}

/** The endpoints of slices that are ready, or do not say that they are not. */
export function backendsOfSlices(slices: readonly EndpointSlice[]): Backend[] {
  return slices.flatMap((slice) => {
    if (slice.addressType === 'FQDN') return [];
    const ports = (slice.ports ?? []).map(({ name, protocol, port }) => ({
      name: name ?? '',
      protocol: protocol ?? 'TCP',
      port: port ?? 0,
    }));
    return (slice.endpoints ?? []).flatMap(({ addresses, conditions, hostname }) =>
      conditions?.ready === false
        ? []
        : addresses.map((address) => ({ hostname: hostname || dashed(address), address, ports })),
    );
  });
}

/** Each hostname and address once: an endpoint that is moved from slice to slice is in both for a moment. */
export function distinct(backends: readonly Backend[]): Backend[] {
  const seen = new Set<string>();
  return backends.filter(({ hostname, address }) => {
    const key = `${hostname} ${address}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What an endpoint without a hostname is called. */
const dashed = (ip: string): string => ip.replace(/[.:]/g, '-');
