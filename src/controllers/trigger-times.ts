// When the changes happened that endpoints are written for: whoever follows endpoints sees how old they are. Follows
// staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go.
import { conditionOf } from '../api/conditions.ts';
import type { Pod, Service } from '../api/generated/types.ts';
import { type NamespacedName, nameOf, type ObjectKey, type Stored } from '../api/objects.ts';

/** Says it on Endpoints and EndpointSlices. */
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

interface Seen {
  service: string;
  pods: ReadonlyMap<string, string>;
}

export class TriggerTimes {
  readonly #seen = new Map<NamespacedName, Seen>();

  /**
   * The earliest change of readiness since the last look at the service, or when it was made if there was none.
   * @returns a `metav1.Time`; undefined if nothing has changed that has a time.
   */
  of(key: ObjectKey, service: Stored<Service>, pods: readonly Stored<Pod>[]): string | undefined {
    const before = this.#seen.get(nameOf(key));
    const { creationTimestamp } = service.metadata;
    const times = new Map<string, string>();
    const changed = creationTimestamp > (before?.service ?? '') ? [creationTimestamp] : [];
    for (const pod of pods) {
      const time = conditionOf(pod, 'Ready')?.lastTransitionTime;
      if (!time) continue;
      times.set(pod.metadata.name, time);
      if (time > (before?.pods.get(pod.metadata.name) ?? '')) changed.push(time);
    }
    this.#seen.set(nameOf(key), { service: creationTimestamp, pods: times });
    return before ? changed.sort()[0] : creationTimestamp;
  }

  /** The service is gone. */
  forget(key: ObjectKey): void {
    this.#seen.delete(nameOf(key));
  }
}

/** The annotations with the time of what they are written for, or without one. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [TRIGGER_TIME]: _, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [TRIGGER_TIME]: time };
}
