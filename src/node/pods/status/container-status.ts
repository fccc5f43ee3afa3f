// The containerStatuses of a pod: what each container is doing, what its last run came to, how often it was
// restarted (kubelet's convertToAPIContainerStatuses). Pure.

import type {
  Container as ContainerSpec,
  ContainerState,
  ContainerStateTerminated,
  ContainerStateWaiting,
  ContainerStatus,
} from '../../../api/generated/types.ts';
import { isPodFinished, isSidecar } from '../../../api/pod-state.ts';
import { timestamp } from '../../../base/clock.ts';
import { present } from '../../../base/present.ts';
import { containerIdOf, idWithin } from '../../container-id.ts';
import type { Container } from '../../runtime.ts';
import type { Decisions } from '../decide/decisions.ts';
import type { PodObservation } from '../decide/observation.ts';
import { hasOtherImage, hasStarted, type PodView, reportedStatuses } from '../decide/view.ts';
import { withinShare } from './last-words.ts';

export type ContainerKind = 'init' | 'app' | 'ephemeral';

/** One status for each of `specs`, in their order. */
export function containerStatuses(
  observed: PodObservation,
  view: PodView,
  decisions: Decisions,
  specs: readonly ContainerSpec[],
  kind: ContainerKind,
): ContainerStatus[] {
  const reported = new Map(reportedStatuses(observed.pod).map((status) => [status.name, status]));
  return specs.map((spec) => statusOf(observed, view, decisions, spec, kind, reported.get(spec.name)));
}

function statusOf(
  observed: PodObservation,
  view: PodView,
  decisions: Decisions,
  spec: ContainerSpec,
  kind: ContainerKind,
  reported: ContainerStatus | undefined,
): ContainerStatus {
  const [newest, ...older] = view.history.get(spec.name) ?? [];
  const wait = decisions.waits.get(spec.name);
  if (newest === undefined || newest.state === 'created') {
    if (kind === 'ephemeral' && reported?.containerID) return lostStatus(reported);
    return waitingStatus(observed, spec, older[0], reported, wait);
  }
  const before = older.find((container) => container.state === 'exited');
  const status: ContainerStatus = {
    name: spec.name,
    state: stateOf(observed, newest),
    lastState: before ? stateOf(observed, before) : lastReported(reported, newest),
    ready: false,
    restartCount: newest.attempt,
    image: newest.image || (spec.image ?? ''),
    imageID: newest.imageId,
    containerID: containerIdOf(observed.runtimeName, newest.id),
  };
  if (newest.state === 'exited' && wait !== undefined) {
    status.lastState = status.state ?? {};
    status.state = { waiting: { reason: wait.reason, message: wait.message } };
  }
  if (kind === 'ephemeral') return status;
  addResources(observed, spec, newest, status);
  const started = hasStarted(observed, spec, newest);
  status.started = started;
  status.ready =
    kind === 'init' && !isSidecar(spec)
      ? newest.state === 'exited' && newest.exitCode === 0
      : started && isReady(observed, spec, newest);
  return status;
}

/** An ephemeral container that has run is never started again, so whatever became of it, it is over. */
function lostStatus(reported: ContainerStatus): ContainerStatus {
  return reported.state?.terminated ? reported : { ...reported, state: { terminated: LOST } };
}

/** What it was given, and what it has: the same but for a moment when it is resized. */
function addResources(
  observed: PodObservation,
  spec: ContainerSpec,
  container: Container,
  status: ContainerStatus,
): void {
  const { requests } = spec.resources ?? {};
  if (requests && Object.keys(requests).length > 0) status.allocatedResources = requests;
  const applied = container.state === 'running' ? observed.applied.get(container.id) : undefined;
  const { claims: _, ...resources } = applied ?? spec.resources ?? {};
  status.resources = resources;
}

function isReady(observed: PodObservation, spec: ContainerSpec, container: Container): boolean {
  if (container.state !== 'running' || observed.heldUnready !== undefined) return false;
  if (hasOtherImage(spec, container)) return false;
  return spec.readinessProbe === undefined || observed.probe(container.id, 'readiness') === 'success';
}

const LOST: ContainerStateTerminated = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
};

function stateOf(observed: PodObservation, container: Container): ContainerState {
  if (container.state === 'running') return { running: { startedAt: timestamp(container.startedAtMs) } };
  if (container.state === 'unknown') {
    return { terminated: LOST };
  }
  const message = withinShare(
    observed.pod,
    observed.terminationMessages.get(container.id) || container.message,
  );
  return {
    terminated: present({
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      message: message || undefined,
      startedAt: timestamp(container.startedAtMs),
      finishedAt: timestamp(container.finishedAtMs),
      containerID: containerIdOf(observed.runtimeName, container.id),
    }),
  };
}

/** What the API remembers of a run whose container the runtime no longer has. */
function lastReported(reported: ContainerStatus | undefined, newest: Container): ContainerState {
  const state = reported?.state?.terminated;
  const isNewest = (run: ContainerStateTerminated): boolean => idWithin(run.containerID ?? '') === newest.id;
  if (state !== undefined && !isNewest(state)) return { terminated: state };
  const last = reported?.lastState;
  return last === undefined || (last.terminated !== undefined && isNewest(last.terminated)) ? {} : last;
}

/** A container that the runtime does not have (yet, or any more). */
function waitingStatus(
  observed: PodObservation,
  spec: ContainerSpec,
  before: Container | undefined,
  reported: ContainerStatus | undefined,
  wait: Required<ContainerStateWaiting> | undefined,
): ContainerStatus {
  // What has ended for good stays as it was reported, also when the runtime's memory of it is gone.
  if (
    before === undefined &&
    wait === undefined &&
    reported?.state?.terminated &&
    reportedIsFinal(observed)
  ) {
    return { ...reported, ready: reported.ready && !observed.ending };
  }
  const hasInit = (observed.pod.spec.initContainers ?? []).length > 0;
  const reason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  const waiting = wait ? { reason: wait.reason, message: wait.message } : { reason };
  return {
    name: spec.name,
    state: { waiting },
    lastState: before
      ? stateOf(observed, before)
      : reported?.state?.terminated
        ? { terminated: reported.state.terminated }
        : (reported?.lastState ?? {}),
    ready: false,
    restartCount: before?.attempt ?? reported?.restartCount ?? 0,
    image: spec.image ?? '',
    imageID: '',
    started: false,
  };
}

function reportedIsFinal(observed: PodObservation): boolean {
  return observed.ending !== undefined || observed.removed || isPodFinished(observed.pod);
}
