// The events of a pod's life, with upstream's reasons and words (kubelet events/event.go and its callers), and
// those that follow from a change of status. Writing them to the API is the recorder's.
import type { ContainerStatus, Pod, PodStatus } from '../../../api/generated/types.ts';
import type { ResizePending } from '../decide/observation.ts';
import { allContainers, describePod, everyContainer } from '../decide/view.ts';

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
  const list = (['initContainers', 'ephemeralContainers'] as const).find((each) =>
    pod.spec[each]?.some((spec) => spec.name === container),
  );
  return `spec.${list ?? 'containers'}{${container}}`;
}

/** What is said when containers have begun to wait. */
export function eventsOfTransition(pod: Pod, before: PodStatus | undefined, after: PodStatus): PodEvent[] {
  const events: PodEvent[] = [];
  const all = (status: PodStatus | undefined): ContainerStatus[] => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const old = new Map(all(before).map((status) => [status.name, status]));
  for (const status of all(after)) {
    const reason = status.state?.waiting?.reason;
    const known = old.get(status.name);
    if (reason === undefined) continue;
    if (reason === known?.state?.waiting?.reason && status.restartCount === known.restartCount) continue;
    events.push(...eventsOfWaiting(pod, status.name, reason));
  }
  if (isResizing(before) && !isResizing(after)) {
    const message = `Pod resize completed: ${JSON.stringify(resourcesOf(pod))}`;
    events.push({ type: 'Normal', reason: 'ResizeCompleted', message });
  }
  return events;
}

/** What is said when a pod's spec asks for other resources: that it gets them, or why it does not. */
export function resizeEvent(pod: Pod, pending: ResizePending | undefined): PodEvent {
  const details = resourcesOf(pod);
  if (pending === undefined) {
    return {
      type: 'Normal',
      reason: 'ResizeStarted',
      message: `Pod resize started: ${JSON.stringify(details)}`,
    };
  }
  const { message, reason } = pending;
  return {
    type: 'Warning',
    reason: `Resize${reason}`,
    message: `Pod resize ${reason}: ${JSON.stringify({ ...details, error: message })}`,
  };
}

const isResizing = (status: PodStatus | undefined): boolean =>
  status?.conditions?.some(({ type }) => type === 'PodResizeInProgress') === true;

/** What events about a resize tell of the pod. */
function resourcesOf(pod: Pod): object {
  const containers = allContainers(pod).map(({ name, resources = {} }) => ({ name, resources }));
  return { containers, generation: pod.metadata.generation };
}

function eventsOfWaiting(pod: Pod, container: string, reason: string): PodEvent[] {
  const spec = everyContainer(pod).find((candidate) => candidate.name === container);
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
    case 'InvalidImageName':
      return [{ type: 'Warning', reason: 'Failed', message: `Error: ${reason}`, container }];
    default:
      return [];
  }
}
