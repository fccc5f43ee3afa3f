// Services and the pods that they select, for the two controllers that publish them as endpoints: which services a
// change of a pod concerns, and what of a pod is published.
import type { Pod, Service, ServicePort } from '../api/generated/types.ts';
import { keyOf, type Stored } from '../api/objects.ts';
import { isPodFinished, isPodReady } from '../api/pod-state.ts';
import { pods } from '../api/resources/pods.ts';
import { services } from '../api/resources/services.ts';
import type { Informers } from '../client/informers.ts';

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

/** The pods that the service selects. */
export function podsOf(service: Stored<Service>, informers: Informers): Stored<Pod>[] {
  return informers
    .of(pods)
    .list(service.metadata.namespace)
    .filter((pod) => selects(service, pod));
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
export function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec.initContainers ?? []).filter(
    (container) => container.restartPolicy === 'Always',
  );
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = (container.ports ?? []).find(
      ({ name, protocol }) => name === target && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/**
 * Calls `enqueue` with the key of every service whose endpoints a change may concern: the service itself, and the
 * pods that it selects or selected. Changes of a pod that no endpoint shows are passed over.
 * @returns what ends it.
 */
export function watchServicesAndPods(
  informers: Informers,
  enqueue: (serviceKey: string) => void,
): () => void {
  const serviceChanged = (service: Stored<Service>): void => enqueue(keyOf(service));
  const podChanged = (pod: Stored<Pod>, old?: Stored<Pod>): void => {
    if (old && published(pod) === published(old)) return;
    for (const service of informers.of(services).list(pod.metadata.namespace)) {
      if (selects(service, pod) || (old && selects(service, old))) enqueue(keyOf(service));
    }
  };
  const ends = [
    informers.of(services).subscribe({
      added: serviceChanged,
      updated: serviceChanged,
      deleted: serviceChanged,
    }),
    informers.of(pods).subscribe({
      added: (pod) => podChanged(pod),
      updated: podChanged,
      deleted: (pod) => podChanged(pod),
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function published(pod: Pod): string {
  return JSON.stringify([
    pod.metadata.labels,
    pod.metadata.uid,
    pod.metadata.deletionTimestamp !== undefined,
    addressesOf(pod),
    isPodReady(pod),
    isPodFinished(pod),
    pod.spec.nodeName,
    pod.spec.hostname,
    pod.spec.subdomain,
  ]);
}
