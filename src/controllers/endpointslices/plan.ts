// What to write so that the slices of a service say what its pods are: as few writes as will do, endpoints staying in
// the slice they are in. A pure function. Follows staging/src/k8s.io/endpointslice/reconciler.go.
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointSlice,
  Node,
  Pod,
  Service,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import {
  type AddressType,
  addressTypesOf,
  ENDPOINT_SLICE_CONTROLLER,
  endpointOf,
  HEADLESS,
  hasEndpoint,
  MANAGED_BY,
  portsOf,
  SERVICE_NAME,
} from '../../api/service-endpoints.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';
import type { SlicePlan } from '../slice-writer.ts';
import { withTriggerTime } from '../trigger-times.ts';

export const MAX_ENDPOINTS = 100;

/** All that the decision may depend on. */
export interface SliceObservation {
  service: Stored<Service>;
  /** The pods that the service selects. */
  pods: readonly Stored<Pod>[];
  /** The slices of the service that this controller manages. */
  slices: readonly Stored<EndpointSlice>[];
  node(name: string): Node | undefined;
  /** When what is to be written happened; see trigger-times.ts. */
  triggerTime?: string | undefined;
}

/** Endpoints that share a slice: of one address type and with the same ports. */
interface Group {
  addressType: AddressType;
  ports: DiscoveryV1EndpointPort[];
  endpoints: Map<string, Endpoint>;
}

export function planSlices(observed: SliceObservation): SlicePlan {
  const { service } = observed;
  const groups = wantedGroups(observed);
  const existing = new Map<string, Stored<EndpointSlice>[]>();
  for (const slice of observed.slices) {
    if (slice.metadata.deletionTimestamp) continue;
    const key = groupKey(slice.addressType, slice.ports ?? []);
    existing.set(key, [...(existing.get(key) ?? []), slice]);
  }
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  for (const [key, slices] of existing) if (!groups.has(key)) plan.delete.push(...slices);
  for (const [key, group] of groups) reconcileGroup(service, group, existing.get(key) ?? [], plan);
  keepOnePlaceholder(service, observed, plan);
  const stamped = <T extends EndpointSlice>(slice: T): T => {
    const annotations = withTriggerTime(slice.metadata.annotations, observed.triggerTime);
    return { ...slice, metadata: { ...slice.metadata, annotations } };
  };
  return { ...plan, create: plan.create.map(stamped), update: plan.update.map(stamped) };
}

function groupKey(addressType: string, ports: readonly DiscoveryV1EndpointPort[]): string {
  const facts = ports.map((port) => [
    port.name ?? '',
    port.port,
    port.protocol ?? 'TCP',
    port.appProtocol ?? '',
  ]);
  return JSON.stringify([addressType, facts.sort()]);
}

function wantedGroups({ service, pods, node }: SliceObservation): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const addressType of addressTypesOf(service)) {
    for (const pod of pods) {
      if (!hasEndpoint(pod)) continue;
      const endpoint = endpointOf(
        pod,
        service,
        addressType,
        pod.spec.nodeName ? node(pod.spec.nodeName) : undefined,
      );
      if (!endpoint) continue;
      const ports = portsOf(service, pod);
      const key = groupKey(addressType, ports);
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() };
      groups.set(key, group);
      group.endpoints.set(pod.metadata.uid, endpoint);
    }
  }
  return groups;
}

/** Puts a group's endpoints into its slices: first where they are, then into gaps, then into new slices. */
function reconcileGroup(
  service: Stored<Service>,
  group: Group,
  slices: readonly Stored<EndpointSlice>[],
  plan: SlicePlan,
): void {
  const left = new Map(group.endpoints);
  const kept = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    let changed = !hasRightMetadata(slice, service);
    for (const endpoint of slice.endpoints ?? []) {
      const uid = endpoint.targetRef?.uid ?? '';
      const wanted = left.get(uid);
      left.delete(uid);
      if (wanted) endpoints.push(wanted);
      changed ||= !wanted || !sameEndpoint(endpoint, wanted);
    }
    return { slice, endpoints, changed };
  });
  const rest = [...left.values()];
  // Slices that are written anyway take what fits; the fullest first, so that others may run empty.
  const written = kept
    .filter(({ changed }) => changed)
    .sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const { endpoints } of written)
    endpoints.push(...rest.splice(0, Math.max(0, MAX_ENDPOINTS - endpoints.length)));
  while (rest.length >= MAX_ENDPOINTS)
    plan.create.push(newSlice(service, group, rest.splice(0, MAX_ENDPOINTS)));
  if (rest.length > 0) {
    const gap = kept
      .filter(({ changed, endpoints }) => !changed && endpoints.length + rest.length <= MAX_ENDPOINTS)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (gap) {
      gap.endpoints.push(...rest);
      gap.changed = true;
    } else plan.create.push(newSlice(service, group, rest));
  }
  for (const { slice, endpoints, changed } of kept) {
    if (!changed) continue;
    if (endpoints.length === 0) plan.delete.push(slice);
    else plan.update.push(updatedSlice(slice, service, endpoints));
  }
}

/** A service without endpoints keeps one empty slice per address type, so that it is seen to have none. */
function keepOnePlaceholder(service: Stored<Service>, observed: SliceObservation, plan: SlicePlan): void {
  const going = new Set(plan.delete);
  const types = addressTypesOf(service);
  for (const addressType of types) {
    const isOfType = (slice: EndpointSlice): boolean => slice.addressType === addressType;
    const remains =
      plan.create.some(isOfType) ||
      plan.update.some(isOfType) ||
      observed.slices.some(
        (slice) => isOfType(slice) && !going.has(slice) && !slice.metadata.deletionTimestamp,
      );
    if (remains) continue;
    const reused = plan.delete.find(isOfType);
    if (!reused) {
      plan.create.push(newSlice(service, { addressType, ports: [] }, []));
      continue;
    }
    plan.delete.splice(plan.delete.indexOf(reused), 1);
    const alreadyEmpty =
      (reused.endpoints ?? []).length === 0 &&
      (reused.ports ?? []).length === 0 &&
      hasRightMetadata(reused, service);
    if (!alreadyEmpty) plan.update.push({ ...updatedSlice(reused, service, []), ports: [] });
  }
}

function labelsOf(service: Stored<Service>): Record<string, string> {
  const clusterIP = service.spec?.clusterIP;
  // What says it of the Service is not copied: it is said of the slice, by who writes it.
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(clusterIP && clusterIP !== 'None' ? {} : { [HEADLESS]: '' }),
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: ENDPOINT_SLICE_CONTROLLER,
  };
}

function hasRightMetadata(slice: Stored<EndpointSlice>, service: Stored<Service>): boolean {
  return (
    sameJson(slice.metadata.labels ?? {}, labelsOf(service)) &&
    (slice.metadata.ownerReferences ?? []).some((owner) => owner.uid === service.metadata.uid)
  );
}

function ownerReferences(
  service: Stored<Service>,
): NonNullable<EndpointSlice['metadata']['ownerReferences']> {
  const { name, uid } = service.metadata;
  return [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }];
}

function newSlice(
  service: Stored<Service>,
  { addressType, ports }: Pick<Group, 'addressType' | 'ports'>,
  endpoints: Endpoint[],
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: present({
      namespace: service.metadata.namespace,
      labels: labelsOf(service),
      ownerReferences: ownerReferences(service),
    }),
    addressType,
    endpoints,
    ports,
  };
}

function updatedSlice(
  slice: Stored<EndpointSlice>,
  service: Stored<Service>,
  endpoints: Endpoint[],
): Stored<EndpointSlice> {
  const metadata = {
    ...slice.metadata,
    labels: labelsOf(service),
    ownerReferences: ownerReferences(service),
  };
  return { ...slice, metadata, endpoints };
}

/** Whether two endpoints say the same, whatever the order of their fields. */
function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.hostname === b.hostname &&
    a.nodeName === b.nodeName &&
    a.zone === b.zone &&
    a.conditions?.ready === b.conditions?.ready &&
    a.conditions?.serving === b.conditions?.serving &&
    a.conditions?.terminating === b.conditions?.terminating &&
    a.targetRef?.name === b.targetRef?.name &&
    a.addresses.join() === b.addresses.join()
  );
}
