// What the Endpoints object of a service holds: the older form of its EndpointSlices, one object for all pods. A pure
// function. Follows pkg/controller/endpoint/endpoints_controller.go and pkg/api/v1/endpoints (RepackSubsets).
import { isReady } from '../../api/conditions.ts';
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { addressesOf, HEADLESS, hasEndpoint, hostnameIn, portsOf } from '../../api/service-endpoints.ts';
import { present } from '../../base/present.ts';
import { withTriggerTime } from '../trigger-times.ts';

/** More addresses than this are cut off, and said to be. */
export const MAX_ADDRESSES = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';

/**
 * The object as it should be; undefined if the existing one is right.
 * @param triggerTime when what is to be written happened; see trigger-times.ts.
 */
export function planEndpoints(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
  existing: Stored<Endpoints> | undefined,
  triggerTime?: string,
): Endpoints | undefined {
  const { subsets, truncated } = truncate(subsetsOf(service, pods));
  const { clusterIP } = service.spec ?? {};
  const { [HEADLESS]: _headless, ...ofService } = service.metadata.labels ?? {};
  const labels = {
    ...ofService,
    ...(clusterIP && clusterIP !== 'None' ? {} : { [HEADLESS]: '' }),
    [MANAGED_BY]: 'endpoint-controller',
  };
  const { [OVER_CAPACITY]: _, ...others } = withTriggerTime(existing?.metadata.annotations, triggerTime);
  const annotations = truncated ? { ...others, [OVER_CAPACITY]: 'truncated' } : others;
  const wanted: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    ...existing,
    metadata: existing
      ? { ...existing.metadata, labels, annotations }
      : present({ namespace: service.metadata.namespace, name: service.metadata.name, labels, annotations }),
    subsets,
  };
  return existing && facts(existing) === facts(wanted) ? undefined : wanted;
}

/** What of the object is compared: entries in a fixed order, absent and empty alike. */
function facts({ metadata, subsets }: Endpoints): string {
  const pairs = (map: Record<string, string> = {}): [string, string][] => Object.entries(map).sort();
  const addresses = (list: readonly EndpointAddress[] = []): unknown[] =>
    list.map((a) => [
      a.ip,
      a.hostname ?? '',
      a.nodeName ?? '',
      a.targetRef?.name ?? '',
      a.targetRef?.uid ?? '',
    ]);
  return JSON.stringify([
    pairs(metadata.labels),
    // The time is of the write, and no reason for one.
    pairs(withTriggerTime(metadata.annotations, undefined)),
    (subsets ?? []).map((subset) => [
      addresses(subset.addresses),
      addresses(subset.notReadyAddresses),
      (subset.ports ?? []).map((port) => [
        port.name ?? '',
        port.port,
        port.protocol ?? 'TCP',
        port.appProtocol ?? '',
      ]),
    ]),
  ]);
}

interface Group {
  ports: EndpointPort[];
  ready: EndpointAddress[];
  notReady: EndpointAddress[];
}

function subsetsOf(service: Stored<Service>, pods: readonly Stored<Pod>[]): Group[] {
  const unready = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    if (!hasEndpoint(pod) || (pod.metadata.deletionTimestamp !== undefined && !unready)) continue;
    const ip = addressFor(service, pod);
    if (!ip) continue;
    // Here a port without a name says nothing of it.
    const ports = portsOf(service, pod).map(({ name, ...port }) => (name ? { name, ...port } : port));
    // Without ports a pod has a place only in a headless service: its name is what matters there.
    if (ports.length === 0 && ((service.spec?.ports ?? []).length > 0 || service.spec?.clusterIP !== 'None'))
      continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    const { namespace, name, uid } = pod.metadata;
    const hostname = hostnameIn(service, pod);
    const address: EndpointAddress = present({
      ip,
      hostname,
      nodeName: pod.spec.nodeName || undefined,
      targetRef: present({ kind: 'Pod', namespace, name, uid }),
    });
    (unready || isReady(pod) ? group.ready : group.notReady).push(address);
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);
  for (const group of groups.values()) {
    group.ready.sort(byIp);
    group.notReady.sort(byIp);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function addressFor(service: Service, pod: Pod): string | undefined {
  const family = service.spec?.ipFamilies?.[0];
  const wantsV6 = family === undefined ? (service.spec?.clusterIP ?? '').includes(':') : family === 'IPv6';
  return addressesOf(pod).find((address) => address.includes(':') === wantsV6);
}

/**
 * Keeps ready addresses before those that are not, up to the limit; of what is cut each group loses its share, rounded so
 * that the last ones lose most.
 */
function truncate(groups: readonly Group[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const count = (of: 'ready' | 'notReady'): number =>
    groups.reduce((sum, group) => sum + group[of].length, 0);
  const [ready, notReady] = [count('ready'), count('notReady')];
  const truncated = ready + notReady > MAX_ADDRESSES;
  const share = (of: 'ready' | 'notReady', total: number, room: number): EndpointAddress[][] => {
    let left = room;
    return groups.map((group) => {
      const addresses = group[of];
      if (total <= room) return addresses;
      const taken = addresses.slice(0, Math.min(left, Math.ceil((addresses.length / total) * room)));
      left -= taken.length;
      return taken;
    });
  };
  const keptReady = share('ready', ready, MAX_ADDRESSES);
  const keptNotReady = share('notReady', notReady, Math.max(0, MAX_ADDRESSES - ready));
  const subsets = groups.flatMap(({ ports }, index): EndpointSubset[] => {
    const addresses = keptReady[index] ?? [];
    const others = keptNotReady[index] ?? [];
    if (addresses.length + others.length === 0) return [];
    const subset: EndpointSubset = {};
    if (addresses.length > 0) subset.addresses = addresses;
    if (others.length > 0) subset.notReadyAddresses = others;
    if (ports.length > 0) subset.ports = ports;
    return [subset];
  });
  return { subsets, truncated };
}
