// What to write so that the addresses somebody put into an Endpoints object are in EndpointSlices too, where DNS and
// everybody else looks for them. A pure function. Follows pkg/controller/endpointslicemirroring.
import { isIPv6 } from 'node:net';
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointPort,
  EndpointSlice,
  EndpointSubset,
  Endpoints,
  Service,
} from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { type AddressType, MANAGED_BY, SERVICE_NAME } from '../../api/service-endpoints.ts';
import { present } from '../../base/present.ts';
import type { SlicePlan } from '../slice-writer.ts';

export const MIRRORING_CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
/** More addresses of a subset than this are not mirrored: one slice holds no more. */
export const MAX_MIRRORED = 1000;
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
/** Annotations that are about the Endpoints object itself. */
const NOT_COPIED: readonly string[] = [
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
];

/** All that the decision may depend on. */
export interface MirrorObservation {
  endpoints: Stored<Endpoints> | undefined;
  service: Stored<Service> | undefined;
  /** The slices that this controller has made for the service. */
  slices: readonly Stored<EndpointSlice>[];
}

export interface MirrorPlan extends SlicePlan {
  /** How many addresses there is no room for. */
  skipped: number;
}

/** Addresses of one type and with the same ports: one slice. */
interface Group {
  addressType: AddressType;
  ports: DiscoveryV1EndpointPort[];
  endpoints: Endpoint[];
}

export function planMirror({ endpoints, service, slices }: MirrorObservation): MirrorPlan {
  const plan: MirrorPlan = { create: [], update: [], delete: [], skipped: 0 };
  const mirrored = endpoints && service && isMirrored(endpoints, service);
  const groups = mirrored ? groupsOf(endpoints.subsets ?? [], plan) : new Map<string, Group>();
  for (const slice of slices) {
    if (isTerminating(slice)) continue;
    const key = groupKey(slice.addressType, slice.ports ?? []);
    const group = groups.get(key);
    groups.delete(key);
    if (!endpoints || !group) {
      plan.delete.push(slice);
      continue;
    }
    const wanted = sliceOf(endpoints, group);
    if (facts(slice) === facts(wanted)) continue;
    plan.update.push({ ...slice, ...wanted, metadata: { ...slice.metadata, ...wanted.metadata } });
  }
  if (endpoints && !isTerminating(endpoints)) {
    for (const group of groups.values()) plan.create.push(sliceOf(endpoints, group));
  }
  return plan;
}

/** Endpoints of a service with a selector are written by a controller, which writes slices as well. */
function isMirrored({ metadata }: Endpoints, { spec }: Service): boolean {
  return (
    metadata.labels?.[SKIP_MIRROR] !== 'true' &&
    metadata.annotations?.[LEADER] === undefined &&
    Object.keys(spec?.selector ?? {}).length === 0
  );
}

function groupsOf(subsets: readonly EndpointSubset[], plan: MirrorPlan): Map<string, Group> {
  const groups = new Map<string, Group>();
  /** How many addresses, of whichever family, each set of ports has: what is one subset once it is put together. */
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const all = [
      ...addresses.map((address) => endpointOf(address, true)),
      ...notReadyAddresses.map((address) => endpointOf(address, false)),
    ];
    for (const endpoint of all) {
      const addressType = isIPv6(endpoint.addresses[0] ?? '') ? 'IPv6' : 'IPv4';
      const slicePorts = ports.map(portOf);
      const key = groupKey(addressType, slicePorts);
      const group = groups.get(key) ?? { addressType, ports: slicePorts, endpoints: [] };
      groups.set(key, group);
      const identity = `${key} ${endpoint.addresses[0]} ${endpoint.targetRef?.uid ?? ''}`;
      if (seen.has(identity)) continue;
      seen.add(identity);
      const portsKey = groupKey('', slicePorts);
      const count = counts.get(portsKey) ?? 0;
      if (count < MAX_MIRRORED) {
        counts.set(portsKey, count + 1);
        group.endpoints.push(endpoint);
      } else plan.skipped++;
    }
  }
  return groups;
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return present({
    addresses: [ip],
    conditions: { ready },
    hostname: hostname || undefined,
    nodeName: nodeName || undefined,
    targetRef,
  });
}

function portOf({ name = '', port, protocol = 'TCP', appProtocol }: EndpointPort): DiscoveryV1EndpointPort {
  return present({ name, port, protocol, appProtocol: appProtocol || undefined });
}

function groupKey(addressType: string, ports: readonly DiscoveryV1EndpointPort[]): string {
  const described = ports.map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) =>
    JSON.stringify([name, port, protocol, appProtocol]),
  );
  return JSON.stringify([addressType, described.sort()]);
}

function sliceOf({ metadata }: Stored<Endpoints>, group: Group): EndpointSlice {
  const { namespace, name, uid } = metadata;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.includes(key));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: present({
      namespace,
      labels: { ...metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: MIRRORING_CONTROLLER },
      annotations: Object.fromEntries(annotations),
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    }),
    addressType: group.addressType,
    endpoints: group.endpoints,
    ports: group.ports,
  };
}

/** What of a slice is compared: entries in a fixed order, absent and empty alike. */
function facts({ metadata, endpoints, ports }: EndpointSlice): string {
  const pairs = (map: Record<string, string> = {}): [string, string][] => Object.entries(map).sort();
  return JSON.stringify([
    pairs(metadata.labels),
    pairs(metadata.annotations),
    metadata.ownerReferences?.map(({ uid }) => uid),
    ports?.map(({ name, port, protocol, appProtocol }) => [name, port, protocol, appProtocol]),
    endpoints?.map(({ addresses, conditions, hostname, nodeName, targetRef }) => [
      addresses,
      conditions?.ready,
      hostname,
      nodeName,
      [targetRef?.kind, targetRef?.namespace, targetRef?.name, targetRef?.uid],
    ]),
  ]);
}
