// What the API says of Services and of what stands behind them, from the informers' caches, and which Services a change
// concerns. What rules follow from it is not here.
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import { keyOf, type NamespacedName, nameOf, parseKey, type Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import {
  ENDPOINT_SLICE_CONTROLLER,
  hasEndpoint,
  MANAGED_BY,
  published,
  SERVICE_NAME,
  selects,
  selectsPods,
} from '../../api/service-endpoints.ts';
import type { Informers } from '../../client/informers.ts';
import type { Backing } from './endpoints.ts';

const BY_SERVICE = 'proxyService';
const BY_LABEL = 'proxyLabel';
const BY_SELECTOR = 'proxySelector';

export interface ObservedServices {
  /** Resolves when all is known that rules are made from. */
  synced: Promise<unknown>;
  get(key: NamespacedName): Stored<Service> | undefined;
  backingOf(service: Stored<Service>): Backing;
  /** Ends the listening to changes. */
  close(): void;
}

/** @param changed is called with the key of each Service that has changed, or what stands behind it. */
export function observeServices(
  informers: Informers,
  changed: (key: NamespacedName) => void,
): ObservedServices {
  const allServices = informers.of(services);
  const allPods = informers.of(pods);
  const allSlices = informers.of(endpointSlices);
  const label = (namespace: string | undefined, [key, value]: [string, string]): string =>
    `${namespace}/${key}=${value}`;
  // A pod finds its Services, and a Service its pods, by one label: the rest of the selector is looked at afterwards.
  const selectorOf = ({ metadata, spec }: Service): string[] =>
    Object.entries(spec.selector ?? {})
      .slice(0, 1)
      .map((entry) => label(metadata.namespace, entry));
  allServices.addIndex(BY_SELECTOR, selectorOf);
  allPods.addIndex(BY_LABEL, (pod) =>
    hasEndpoint(pod)
      ? Object.entries(pod.metadata.labels ?? {}).map((entry) => label(pod.metadata.namespace, entry))
      : [],
  );
  allSlices.addIndex(BY_SERVICE, ({ metadata }) => {
    const name = metadata.labels?.[SERVICE_NAME];
    return name ? [nameOf({ namespace: metadata.namespace, name })] : [];
  });

  const serviceChanged = (service: Stored<Service>): void => changed(keyOf(service));
  const selecting = (pod: Stored<Pod>): Stored<Service>[] =>
    Object.entries(pod.metadata.labels ?? {})
      .flatMap((entry) => allServices.byIndex(BY_SELECTOR, label(pod.metadata.namespace, entry)))
      .filter((service) => selects(service, pod));
  const podChanged = (pod: Stored<Pod>): void => {
    if (hasEndpoint(pod)) for (const service of selecting(pod)) serviceChanged(service);
  };
  const podUpdated = (pod: Stored<Pod>, old: Stored<Pod>): void => {
    if (published(pod) === published(old)) return;
    podChanged(pod);
    podChanged(old);
  };
  const sliceChanged = ({ metadata }: Stored<EndpointSlice>): void => {
    const name = metadata.labels?.[SERVICE_NAME];
    if (!name) return;
    const service = allServices.get(metadata.namespace, name);
    const isOfPods = metadata.labels?.[MANAGED_BY] === ENDPOINT_SLICE_CONTROLLER;
    // The pods themselves have said what it says.
    if (service && !(isOfPods && selectsPods(service))) serviceChanged(service);
  };
  const subscriptions = [
    allServices.subscribe({ added: serviceChanged, updated: serviceChanged, deleted: serviceChanged }),
    allPods.subscribe({ added: podChanged, updated: podUpdated, deleted: podChanged }),
    allSlices.subscribe({
      added: sliceChanged,
      updated(slice, old) {
        sliceChanged(slice);
        sliceChanged(old);
      },
      deleted: sliceChanged,
    }),
  ];
  return {
    synced: Promise.all([allServices.synced(), allPods.synced(), allSlices.synced()]),
    get(key) {
      const { namespace, name } = parseKey(key);
      return allServices.get(namespace, name);
    },
    backingOf: (service) => ({
      pods: selectsPods(service)
        ? selectorOf(service)
            .flatMap((value) => allPods.byIndex(BY_LABEL, value))
            .filter((pod) => selects(service, pod))
        : [],
      slices: allSlices.byIndex(BY_SERVICE, keyOf(service)),
    }),
    close() {
      for (const end of subscriptions) end();
    },
  };
}
