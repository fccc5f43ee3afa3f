// Services and the pods that they select, for the two controllers that publish them as endpoints: which services a
// change of a pod concerns. What of a pod is published is api/service-endpoints.ts's business.
import type { Pod, Service } from '../api/generated/types.ts';
import { keyOf, type Stored } from '../api/objects.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { published, selects } from '../api/service-endpoints.ts';
import type { Informers } from '../client/informers.ts';

/** The pods that the service selects. */
export function podsOf(service: Stored<Service>, informers: Informers): Stored<Pod>[] {
  return informers
    .of(pods)
    .list(service.metadata.namespace)
    .filter((pod) => selects(service, pod));
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
