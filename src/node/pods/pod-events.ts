// The events of a pod's life, with upstream's reasons and words (kubelet events/event.go and its callers), and
// those that follow from a change of status. Writing them to the API is the recorder's.
import type { ContainerStatus, Pod, PodStatus } from '../../api/generated/types.ts';
import { describePod } from './view.ts';

export interface PodEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** The container that it is about. */
  container?: string;
}

export interface PodEvents {
  record(pod: Pod, event: PodEvent): void;
}

/** `spec.containers{nginx}`: the field that an event about a container names. */
export function containerFieldPath(pod: Pod, container: string): string {
  const isInit = pod.spec.initContainers?.some((spec) => spec.name === container) === true;
  return `spec.${isInit ? 'initContainers' : 'containers'}{${container}}`;
}

/** What is said when containers have begun to wait. */
export function eventsOfTransition(pod: Pod, before: PodStatus | undefined, after: PodStatus): PodEvent[] {
  const events: PodEvent[] = [];
  const all = (status: PodStatus | undefined): ContainerStatus[] => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const old = new Map(all(before).map((status) => [status.name, status]));
  for (const status of all(after)) {
    const reason = status.state?.waiting?.reason;
    const known = old.get(status.name);
    if (reason === undefined) continue;
    if (reason === known?.state?.waiting?.reason && status.restartCount === known.restartCount) continue;
    events.push(...eventsOfWaiting(pod, status.name, reason));
  }
  return events;
}

function eventsOfWaiting(pod: Pod, container: string, reason: string): PodEvent[] {
  const spec = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
    (candidate) => candidate.name === container,
  );
  switch (reason) {
    case 'CrashLoopBackOff':
      return [
        {
          type: 'Warning',
          reason: 'BackOff',
          message: `Back-off restarting failed container ${container} in pod ${describePod(pod)}`,
          container,
        },
      ];
    case 'ImagePullBackOff':
      return [
        { type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${spec?.image}"`, container },
        { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', container },
      ];
    case 'ErrImagePull':
    case 'ErrImageNeverPull':
      return [{ type: 'Warning', reason: 'Failed', message: `Error: ${reason}`, container }];
    default:
      return [];
  }
}
