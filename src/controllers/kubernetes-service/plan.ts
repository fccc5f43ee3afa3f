// What of the API server's own Service is not as it should be: the Service `kubernetes` in `default`, and where it leads, in
// both forms. A pure function. Follows pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers.
import type { EndpointSlice, Endpoints, Service, ServicePort } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { SERVICE_NAME } from '../../api/service-endpoints.ts';
import { sameJson } from '../../base/same-json.ts';

export const KUBERNETES = { namespace: 'default', name: 'kubernetes' };
/** Where the Service answers; clients take the port for granted. */
const PORT = { name: 'https', protocol: 'TCP', port: 443 };
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';

/** Where pods reach the API. */
export interface ApiAddress {
  ip: string;
  port: number;
}

/** All that the decision may depend on. */
export interface KubernetesObservation {
  /** The Service's address: the first of the range. */
  clusterIp: string;
  /** The port that the API listens on. */
  port: number;
  /** Undefined: pods do not reach it, as simulated ones never do. */
  address: ApiAddress | undefined;
  service: Stored<Service> | undefined;
  endpoints: Stored<Endpoints> | undefined;
  slice: Stored<EndpointSlice> | undefined;
}

/** One write. */
export type KubernetesAction =
  | { type: 'create-service'; service: Service }
  | { type: 'update-service'; service: Stored<Service> }
  | { type: 'delete-service'; service: Stored<Service> }
  | { type: 'create-endpoints'; endpoints: Endpoints }
  | { type: 'update-endpoints'; endpoints: Stored<Endpoints> }
  | { type: 'create-slice'; slice: EndpointSlice }
  | { type: 'update-slice'; slice: Stored<EndpointSlice> }
  | { type: 'delete-slice'; slice: Stored<EndpointSlice> };

/** The writes that make it right, in order; none if all is. */
export function planKubernetes(observed: KubernetesObservation): KubernetesAction[] {
  const { address, endpoints, slice } = observed;
  return [...planService(observed), ...planEndpoints(endpoints, address), ...planSlice(slice, address)];
}

/** The Service as it is made. @param port that the API listens on. */
export function kubernetesService(clusterIp: string, port: number): Service {
  return {
    metadata: { ...KUBERNETES, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ ...PORT, targetPort: port }],
    },
  };
}

function planService({ clusterIp, port, service }: KubernetesObservation): KubernetesAction[] {
  const wanted = kubernetesService(clusterIp, port);
  if (!service) return [{ type: 'create-service', service: wanted }];
  if (service.metadata.deletionTimestamp !== undefined) return [];
  // An address can be changed into no other: it is made anew when it has gone.
  if (service.spec.type !== 'ClusterIP' || service.spec.clusterIP !== clusterIp)
    return [{ type: 'delete-service', service }];
  const { selector, ...spec } = service.spec;
  const isRight = !selector && samePorts(spec.ports ?? [], wanted.spec.ports ?? []);
  if (isRight) return [];
  return [
    { type: 'update-service', service: { ...service, spec: { ...spec, ports: wanted.spec.ports ?? [] } } },
  ];
}

const samePorts = (some: readonly ServicePort[], others: readonly ServicePort[]): boolean => {
  const facts = (ports: readonly ServicePort[]): unknown[] =>
    ports.map(({ name, port, protocol, targetPort }) => [name, port, protocol, targetPort]);
  return sameJson(facts(some), facts(others));
};

function planEndpoints(
  existing: Stored<Endpoints> | undefined,
  address: ApiAddress | undefined,
): KubernetesAction[] {
  const subsets = address
    ? [{ addresses: [{ ip: address.ip }], ports: [{ name: PORT.name, port: address.port, protocol: 'TCP' }] }]
    : [];
  const labels = { ...existing?.metadata.labels, [SKIP_MIRROR]: 'true' };
  if (!existing) {
    if (subsets.length === 0) return [];
    return [{ type: 'create-endpoints', endpoints: { metadata: { ...KUBERNETES, labels }, subsets } }];
  }
  if (existing.metadata.labels?.[SKIP_MIRROR] === 'true' && sameJson(existing.subsets ?? [], subsets))
    return [];
  return [
    {
      type: 'update-endpoints',
      endpoints: { ...existing, metadata: { ...existing.metadata, labels }, subsets },
    },
  ];
}

function planSlice(
  existing: Stored<EndpointSlice> | undefined,
  address: ApiAddress | undefined,
): KubernetesAction[] {
  const wanted = {
    addressType: address?.ip.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: address ? [{ addresses: [address.ip], conditions: { ready: true } }] : [],
    ports: address ? [{ name: PORT.name, port: address.port, protocol: 'TCP' }] : [],
  };
  const labels = { [SERVICE_NAME]: KUBERNETES.name };
  if (!existing) {
    if (!address) return [];
    return [{ type: 'create-slice', slice: { metadata: { ...KUBERNETES, labels }, ...wanted } }];
  }
  if (existing.addressType !== wanted.addressType) return [{ type: 'delete-slice', slice: existing }];
  const { endpoints = [], metadata, ports = [] } = existing;
  const isRight =
    sameJson(metadata.labels ?? {}, labels) &&
    sameJson(endpoints, wanted.endpoints) &&
    sameJson(ports, wanted.ports);
  return isRight
    ? []
    : [{ type: 'update-slice', slice: { ...existing, ...wanted, metadata: { ...metadata, labels } } }];
}
