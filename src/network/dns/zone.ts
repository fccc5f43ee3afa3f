// The zone from the informers' caches. The pods of a Service are taken from the pods themselves, not from the slices that
// the endpointslice controller writes of them: a name is there in the same step in which its pod is Ready, and an address
// is gone in the same step as its pod. Slices that others write (by hand, or as a mirror of Endpoints) are read as they are.
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import { keyOf, type Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import {
  addressesOf,
  ENDPOINT_SLICE_CONTROLLER,
  hasEndpoint,
  MANAGED_BY,
  published,
  SERVICE_NAME,
  selects,
  selectsPods,
} from '../../api/service-endpoints.ts';
import type { Informers } from '../../client/informers.ts';
import { canonicalAddress, podLabelAddress } from './address-names.ts';
import { type Backend, backendsOfPods, backendsOfSlices, distinct } from './backends.ts';
import type { Zone } from './resolve.ts';

const BY_CLUSTER_IP = 'clusterIP';
const BY_SERVICE = 'dnsService';
const BY_ADDRESS = 'dnsAddress';
const BY_HOSTNAME = 'dnsHostname';
const BY_NAMESPACE = 'dnsNamespace';

export interface LiveZone extends Zone {
  /** Resolves when everything that names are made from is known. */
  synced: Promise<unknown>;
  /** Ends the listening to changes. */
  close(): void;
}

/**
 * @param domain `cluster.local`
 * @param serverAddress what `ns.dns.<domain>` means.
 */
export function zoneOf(informers: Informers, domain: string, serverAddress: string): LiveZone {
  const allServices = informers.of(services);
  const slices = informers.of(endpointSlices);
  const allPods = informers.of(pods);
  const allNamespaces = informers.of(namespaces);
  allServices.addIndex(BY_CLUSTER_IP, ({ spec }) => (spec.clusterIPs ?? []).map(canonicalAddress));
  slices.addIndex(BY_SERVICE, ({ metadata }) => {
    const service = metadata.labels?.[SERVICE_NAME];
    return service ? [`${metadata.namespace}/${service}`] : [];
  });
  slices.addIndex(BY_ADDRESS, ({ endpoints }) =>
    (endpoints ?? []).flatMap(({ addresses }) => addresses.map(canonicalAddress)),
  );
  allPods.addIndex(BY_ADDRESS, (pod) => addressesOf(pod).map(canonicalAddress));
  // Those that wait for a node, or are over, can be many.
  allPods.addIndex(BY_NAMESPACE, (pod) => (hasEndpoint(pod) ? [pod.metadata.namespace ?? ''] : []));
  allPods.addIndex(BY_HOSTNAME, ({ metadata, spec: { hostname, subdomain } }) =>
    hostname && subdomain ? [`${metadata.namespace}/${subdomain}/${hostname}`] : [],
  );

  /** Of each Service that was asked for, until something changes: there are never more than Services. */
  const known = new Map<string, readonly Backend[]>();
  let version = 0;
  const changed = (): void => {
    version++;
    known.clear();
  };
  const podChanged = (pod: Stored<Pod>): void => {
    if (hasEndpoint(pod)) changed();
  };
  const podUpdated = (pod: Stored<Pod>, old: Stored<Pod>): void => {
    if ((hasEndpoint(pod) || hasEndpoint(old)) && published(pod) !== published(old)) changed();
  };
  const subscriptions = [
    allServices.subscribe({ added: changed, updated: changed, deleted: changed }),
    slices.subscribe({ added: changed, updated: changed, deleted: changed }),
    allNamespaces.subscribe({ added: changed, deleted: changed }),
    allPods.subscribe({ added: podChanged, updated: podUpdated, deleted: podChanged }),
  ];

  const backendsAmong = (
    service: Stored<Service>,
    candidates: readonly Stored<Pod>[],
    written: readonly EndpointSlice[],
  ): Backend[] => {
    const { namespace } = service.metadata;
    const selected = candidates.filter(
      (pod) => pod.metadata.namespace === namespace && selects(service, pod),
    );
    const others = selectsPods(service)
      ? written.filter(({ metadata }) => metadata.labels?.[MANAGED_BY] !== ENDPOINT_SLICE_CONTROLLER)
      : written;
    return distinct([...backendsOfPods(service, selected), ...backendsOfSlices(others)]);
  };

  return {
    domain,
    serverAddress,
    version: () => version,
    hasNamespace: (name) => allNamespaces.get(undefined, name) !== undefined,
    service: (namespace, name) => allServices.get(namespace, name),
    backendsOf(service) {
      const key = keyOf(service);
      let backends = known.get(key);
      if (!backends) {
        const { namespace } = service.metadata;
        backends = backendsAmong(
          service,
          allPods.byIndex(BY_NAMESPACE, namespace ?? ''),
          slices.byIndex(BY_SERVICE, key),
        );
        known.set(key, backends);
      }
      return backends;
    },
    backendsNamed(service, hostname) {
      const key = keyOf(service);
      const candidates = [
        ...allPods.byIndex(BY_HOSTNAME, `${key}/${hostname}`),
        // Without a hostname a pod is called by its address.
        ...allPods.byIndex(BY_ADDRESS, podLabelAddress(hostname) ?? ''),
      ];
      const backends = backendsAmong(service, candidates, slices.byIndex(BY_SERVICE, key));
      return backends.filter((backend) => backend.hostname === hostname);
    },
    serviceByIp: (ip) => allServices.byIndex(BY_CLUSTER_IP, ip)[0],
    placesOf(ip) {
      const holders = [
        ...allPods
          .byIndex(BY_ADDRESS, ip)
          .flatMap((pod) =>
            allServices.list(pod.metadata.namespace).filter((service) => selects(service, pod)),
          ),
        ...slices.byIndex(BY_ADDRESS, ip).flatMap(({ metadata }) => {
          const service = allServices.get(metadata.namespace, metadata.labels?.[SERVICE_NAME] ?? '');
          return service ?? [];
        }),
      ];
      return [...new Set(holders)].flatMap((service) => {
        const written = slices.byIndex(BY_SERVICE, keyOf(service));
        return backendsAmong(service, allPods.byIndex(BY_ADDRESS, ip), written)
          .filter(({ address }) => canonicalAddress(address) === ip)
          .map(({ hostname }) => ({ service, hostname }));
      });
    },
    synced: Promise.all([allServices.synced(), slices.synced(), allPods.synced(), allNamespaces.synced()]),
    close() {
      for (const end of subscriptions) end();
    },
  };
}
