// What a simulated runtime that comes back empty takes over: containers that have ended for good, by the word of their
// pods' statuses. Nothing else knows of them, and what has ended for good must not run again. Pure.
import type { ContainerStatus, Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isTerminalPhase } from '../../api/pod-state.ts';
import { idWithin } from '../container-id.ts';
import { restartsAfter } from '../pods/decide/view.ts';
import type { Container, Sandbox } from '../runtime.ts';

export interface Remembered {
  sandbox: Sandbox;
  containers: Container[];
}

/** A pod's sandbox and its ended containers; undefined if none has ended for good, or if all is over. */
export function endedContainersOf(pod: Stored<Pod>): Remembered | undefined {
  const { name, namespace = '', uid } = pod.metadata;
  const { containerStatuses = [], phase, podIP, startTime } = pod.status ?? {};
  if (isTerminalPhase(phase) || !podIP) return undefined;
  const createdAtMs = timeOf(startTime);
  const ips = pod.spec.hostNetwork ? [] : [podIP];
  const id = `sandbox-${uid}`;
  const sandbox: Sandbox = { id, podUid: uid, namespace, name, attempt: 0, ready: true, createdAtMs, ips };
  const containers = containerStatuses.flatMap((status) => {
    const spec = pod.spec.containers.find((each) => each.name === status.name);
    const exitCode = status.state?.terminated?.exitCode;
    if (spec === undefined || exitCode === undefined || restartsAfter(pod, spec, exitCode)) return [];
    const container = endedContainer(status, sandbox);
    return container === undefined ? [] : [container];
  });
  return containers.length === 0 ? undefined : { sandbox, containers };
}

function endedContainer(status: ContainerStatus, sandbox: Sandbox): Container | undefined {
  const { containerID, image, imageID, name, restartCount, state } = status;
  const ended = state?.terminated;
  if (ended === undefined || containerID === undefined) return undefined;
  return {
    id: idWithin(containerID),
    sandboxId: sandbox.id,
    podUid: sandbox.podUid,
    name,
    attempt: restartCount,
    state: 'exited',
    image,
    imageId: imageID,
    createdAtMs: timeOf(ended.startedAt),
    startedAtMs: timeOf(ended.startedAt),
    finishedAtMs: timeOf(ended.finishedAt),
    exitCode: ended.exitCode,
    reason: ended.reason ?? '',
    message: ended.message ?? '',
    labels: {},
  };
}

const timeOf = (time: string | undefined): number => (time === undefined ? 0 : Date.parse(time));
