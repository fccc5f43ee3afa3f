// Services and the pods that they select, for the two controllers that publish them as endpoints: which services a
// change of a pod concerns, and how long changes are gathered. What of a pod is published is api/service-endpoints.ts's
// business.
import type { Pod, Service } from '../api/generated/types.ts';
import { type NamespacedName, nameOf, type ObjectKey, type Stored } from '../api/objects.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { published, selects, selectsPods } from '../api/service-endpoints.ts';
import { itself, type Watch, watch } from '../client/controller.ts';
import type { Informers } from '../client/informers.ts';
import { gatherMs } from './gather.ts';

export class ServicePods {
  readonly #informers: Informers;
  /** How many pods each service had at the last look. */
  readonly #counts = new Map<NamespacedName, number>();

  constructor(informers: Informers) {
    this.#informers = informers;
  }

  /** The pods that the service selects; undefined if nobody is to publish any: it selects none, or is going. */
  of(service: Stored<Service> | undefined, key: ObjectKey): Stored<Pod>[] | undefined {
    if (!service || service.metadata.deletionTimestamp || !selectsPods(service)) {
      this.#counts.delete(nameOf(key));
      return undefined;
    }
    const all = this.#informers.of(pods).list(key.namespace);
    const selected = all.filter((pod) => selects(service, pod));
    this.#counts.set(nameOf(key), selected.length);
    return selected;
  }

  /**
   * Watches for every service whose endpoints a change may concern: the service itself, and the pods that it selects or
   * selected. Changes of a pod that no endpoint shows are passed over.
   */
  watches(): Watch<ObjectKey>[] {
    const allServices = this.#informers.of(services);
    const ofPod = (pod: Stored<Pod>, old?: Stored<Pod>): ObjectKey[] => {
      if (old && published(pod) === published(old)) return [];
      return allServices
        .list(pod.metadata.namespace)
        .filter((service) => selects(service, pod) || (old && selects(service, old)))
        .flatMap(itself);
    };
    const gather = (key: ObjectKey): number => gatherMs(this.#counts.get(nameOf(key)) ?? 0);
    return [
      watch(allServices, { changed: itself, deleted: itself }, gather),
      watch(
        this.#informers.of(pods),
        { added: (pod) => ofPod(pod), updated: ofPod, deleted: (pod) => ofPod(pod) },
        gather,
      ),
    ];
  }
}
