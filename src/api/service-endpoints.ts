// What a pod is to a Service that selects it: whether it is an endpoint, under which name, at which addresses and ports.
// Pure, for all who need to agree on it: the controllers that write endpoints down, and DNS, which answers from the pods
// themselves. Follows staging/src/k8s.io/endpointslice/utils.go.
import { isIPv4, isIPv6 } from 'node:net';
import { present } from '../base/present.ts';
import { isReady } from './conditions.ts';
import type { Endpoint, EndpointPort, Node, Pod, Service, ServicePort } from './generated/types.ts';
import type { Stored } from './objects.ts';
import { isPodFinished, isSidecar } from './pod-state.ts';

/** A slice's label that names its Service. */
export const SERVICE_NAME = 'kubernetes.io/service-name';
/** A slice's label that says who writes it. */
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** On slices and Endpoints of a Service that has no address of its own. */
export const HEADLESS = 'service.kubernetes.io/headless';
/** Who writes the slices of Services that select pods. */
export const ENDPOINT_SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';

/** Whether endpoints are made for the service from pods; others are the user's own affair. */
export function selectsPods(service: Service): boolean {
  return service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0;
}

export function selects(service: Service, pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {};
  return (
    selectsPods(service) &&
    Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels[key] === value)
  );
}

/** All addresses of the pod. */
export function addressesOf(pod: Pod): string[] {
  const all = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  return all.length === 0 && pod.status?.podIP ? [pod.status.podIP] : all;
}

/** Whether the pod has an address and is not over. */
export function hasEndpoint(pod: Pod): boolean {
  return !isPodFinished(pod) && addressesOf(pod).length > 0;
}

/** The hostname under which the service's DNS names the pod, if it has asked for one (ShouldSetHostname upstream). */
export function hostnameIn(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  const sameNamespace = service.metadata.namespace === pod.metadata.namespace;
  return hostname && subdomain === service.metadata.name && sameNamespace ? hostname : undefined;
}

/** The port of the pod behind a port of the service; undefined if it is named and the pod has none of that name. */
function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = (container.ports ?? []).find(
      ({ name, protocol }) => name === target && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** What of a pod endpoints show: unchanged, and so are they. */
export function published(pod: Pod): string {
  return JSON.stringify([
    pod.metadata.labels,
    pod.metadata.uid,
    pod.metadata.deletionTimestamp !== undefined,
    addressesOf(pod),
    isReady(pod),
    isPodFinished(pod),
    pod.spec.nodeName,
    pod.spec.hostname,
    pod.spec.subdomain,
  ]);
}

export type AddressType = 'IPv4' | 'IPv6';

/** The address types that the service's slices come in. */
export function addressTypesOf(service: Service): AddressType[] {
  const families = (service.spec?.ipFamilies ?? []).filter(
    (family): family is AddressType => family === 'IPv4' || family === 'IPv6',
  );
  if (families.length > 0) return families;
  return isIPv6(service.spec?.clusterIP ?? '') ? ['IPv6'] : ['IPv4'];
}

/** The pod as an endpoint of the service; undefined if it has no address of the type. */
export function endpointOf(
  pod: Stored<Pod>,
  service: Service,
  addressType: AddressType,
  node: Node | undefined,
): Endpoint | undefined {
  const addresses = addressesOf(pod).filter(addressType === 'IPv4' ? isIPv4 : isIPv6);
  if (addresses.length === 0) return undefined;
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const { namespace, name, uid } = pod.metadata;
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const { nodeName } = pod.spec;
  const hostname = hostnameIn(service, pod);
  return present({
    addresses,
    conditions: {
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    hostname,
    targetRef: present({ kind: 'Pod', namespace, name, uid }),
    nodeName: nodeName || undefined,
    zone: zone || undefined,
  });
}

/** The service's ports as they are on the pod; a named port that the pod does not have is left out. */
export function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port): EndpointPort[] => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [present({ name, port: number, protocol, appProtocol: appProtocol || undefined })];
  });
}
