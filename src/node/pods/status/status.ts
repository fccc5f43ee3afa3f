// The status of a pod: phase, conditions and addresses from what its containers do (kubelet's getPhase,
// generateAPIPodStatus and status/generate.go). Pure; what each container says is in container-status.ts.

import { conditionOf } from '../../../api/conditions.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../../api/generated/types.ts';
import { qosClassOf } from '../../../api/pod-qos.ts';
import { isSidecar, isTerminalPhase } from '../../../api/pod-state.ts';
import { timestamp } from '../../../base/clock.ts';
import { present } from '../../../base/present.ts';
import type { Decisions } from '../decide/decisions.ts';
import type { PodObservation } from '../decide/observation.ts';
import { isBeingResized } from '../decide/resize-plan.ts';
import { allContainers, ephemeralContainers, type PodView, restartsAfter } from '../decide/view.ts';
import { containerStatuses } from './container-status.ts';

/** The whole status to write; conditions of others (readiness gates) are kept. */
export function podStatus(
  observed: PodObservation,
  view: PodView,
  decisions: Decisions,
  failure: { reason: string; message: string } | undefined,
): PodStatus {
  const { pod, now, nodeIps } = observed;
  const old = pod.status ?? {};
  const init = containerStatuses(observed, view, decisions, pod.spec.initContainers ?? [], 'init');
  const apps = containerStatuses(observed, view, decisions, pod.spec.containers, 'app');
  // As long as something of it runs it has not failed yet: whoever sees that it has may make another of its name.
  const failed = mayRun(observed) ? undefined : failure;
  const status: PodStatus = present({
    phase: failed
      ? 'Failed'
      : old.phase !== undefined && (failure || isTerminalPhase(old.phase))
        ? old.phase
        : phaseOf(observed, init, apps),
    observedGeneration: pod.metadata.generation,
    startTime: old.startTime ?? timestamp(now),
    hostIP: nodeIps[0],
    hostIPs: nodeIps.map((ip) => ({ ip })),
    qosClass: qosClassOf(pod),
  });
  // A pod that was never taken has no containers to speak of, and its reason is what shows.
  const taken = observed.rejection === undefined;
  if (taken) status.containerStatuses = apps;
  if (taken && init.length > 0) status.initContainerStatuses = init;
  const ephemeral = containerStatuses(observed, view, decisions, ephemeralContainers(pod), 'ephemeral');
  if (ephemeral.length > 0) status.ephemeralContainerStatuses = ephemeral;
  const ips = pod.spec.hostNetwork ? nodeIps : (view.usable?.ips ?? []);
  // An address that is already reported stays until the pod is gone: its endpoints are taken out by readiness.
  const shown = ips.length > 0 ? ips : (old.podIPs ?? []).map((entry) => entry.ip);
  if (shown[0] !== undefined && (ips.length > 0 || observed.ending || isTerminalPhase(status.phase))) {
    status.podIP = shown[0];
    status.podIPs = shown.map((ip) => ({ ip }));
  }
  if (failed) {
    status.reason = failed.reason;
    status.message = failed.message;
  } else if (isTerminalPhase(old.phase)) {
    if (old.reason) status.reason = old.reason;
    if (old.message) status.message = old.message;
  }
  status.conditions = conditionsOf(observed, view, status, init, apps);
  return status;
}

function mayRun({ busy, containers }: PodObservation): boolean {
  return (
    containers.some(({ state }) => state === 'running' || state === 'unknown') ||
    [...busy].some((key) => key.startsWith('container/'))
  );
}

function phaseOf(observed: PodObservation, init: ContainerStatus[], apps: ContainerStatus[]): string {
  const { pod } = observed;
  // With its spec beside it: a pod may have thousands, and looking each up by name takes their square.
  const regularInit = init.flatMap((status, index) => {
    const spec = pod.spec.initContainers?.[index];
    return spec !== undefined && !isSidecar(spec) ? [{ status, spec }] : [];
  });
  const anyAppRan = apps.some((status) => status.containerID !== undefined || status.lastState?.terminated);
  const pendingInit = regularInit.filter(({ status }) => exitCodeOf(status) !== 0).length;
  const failedInit = regularInit.some(({ status, spec }) => {
    const code = exitCodeOf(status) ?? 0;
    return code !== 0 && !restartsAfter(pod, spec, code);
  });
  if (failedInit && !anyAppRan) return 'Failed';
  if (pendingInit > 0 && !anyAppRan) return 'Pending';
  const running = apps.filter((status) => status.state?.running).length;
  const stopped = apps.filter((status) => exitCodeOf(status) !== undefined && !status.state?.running).length;
  const succeeded = apps.filter((status) => status.state?.terminated?.exitCode === 0).length;
  if (running + stopped < apps.length) return 'Pending';
  if (running > 0) return 'Running';
  const anythingRuns = init.some((status) => status.state?.running);
  const over = observed.ending !== undefined && observed.ending.cause !== 'shutdown';
  if (over) return anythingRuns ? 'Running' : succeeded === stopped ? 'Succeeded' : 'Failed';
  const restarts = apps.some((status, index) => {
    const spec = pod.spec.containers[index];
    return spec !== undefined && restartsAfter(pod, spec, exitCodeOf(status) ?? 0);
  });
  if (restarts || anythingRuns) return 'Running';
  return succeeded === stopped ? 'Succeeded' : 'Failed';
}

/** Of the run that ended last, if one has. */
function exitCodeOf(status: ContainerStatus): number | undefined {
  if (status.state?.running) return undefined;
  return status.state?.terminated?.exitCode ?? status.lastState?.terminated?.exitCode;
}

type Draft = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** Conditions that are there only as long as they are true. */
export const RESIZE_CONDITIONS = ['PodResizePending', 'PodResizeInProgress'] as const;

/** The condition of a pod that goes for the sake of others (upstream's PodReasonTerminationByKubelet). */
export const TERMINATED_BY_NODE = { type: 'DisruptionTarget', reason: 'TerminationByKubelet' } as const;

function disruption({ eviction }: PodObservation): Draft[] {
  if (!eviction?.isDisruption) return [];
  const { message } = eviction;
  return [{ ...TERMINATED_BY_NODE, status: 'True', message }];
}

/** That the pod has not yet the resources that its spec asks for, and why. */
function resizeConditions(observed: PodObservation, view: PodView): Draft[] {
  const { pod, resizePending, resizeFailures } = observed;
  const drafts: Draft[] = [];
  if (resizePending !== undefined) {
    drafts.push({ type: 'PodResizePending', status: 'True', ...resizePending });
  }
  const resizing = allContainers(pod).flatMap((spec) => {
    const current = view.current(spec.name);
    const isRunning = current?.state === 'running';
    return isRunning && isBeingResized(observed, spec, current.id).length > 0 ? [current] : [];
  });
  if (resizing.length === 0) return drafts;
  const failure = resizing.map(({ id }) => resizeFailures.get(id)).find((each) => each !== undefined);
  const error = failure && { reason: 'Error', message: failure.message };
  drafts.push({ type: 'PodResizeInProgress', status: 'True', ...error });
  return drafts;
}

function conditionsOf(
  observed: PodObservation,
  view: PodView,
  status: PodStatus,
  init: ContainerStatus[],
  apps: ContainerStatus[],
): PodCondition[] {
  const { pod } = observed;
  const ready = containersReady(observed, status.phase, init, apps);
  const drafts: Draft[] = [
    { type: 'PodReadyToStartContainers', status: view.usable && !observed.removed ? 'True' : 'False' },
    initialized(pod, status.phase, init, apps),
    podReady(pod, ready),
    withProbeMessage(observed, view, ready, apps),
    { type: 'PodScheduled', status: 'True' },
    ...resizeConditions(observed, view),
    ...disruption(observed),
  ];
  const old = pod.status?.conditions ?? [];
  const ours = new Set([...drafts.map((draft) => draft.type), ...RESIZE_CONDITIONS]);
  return [
    ...drafts.map((draft) => withTransition(draft, pod, observed.now)),
    ...old.filter((condition) => !ours.has(condition.type)),
  ];
}

/** The condition, of the generation it was found in, with the time since when it is as it is. */
function withTransition(draft: Draft, pod: Pod, now: number): PodCondition {
  const before = conditionOf(pod, draft.type);
  const lastTransitionTime =
    before?.status === draft.status && before.lastTransitionTime
      ? before.lastTransitionTime
      : timestamp(before?.status === 'True' ? laterThan(before.lastTransitionTime, now) : now);
  const condition: PodCondition = { type: draft.type, status: draft.status, lastTransitionTime };
  if (draft.reason) condition.reason = draft.reason;
  if (draft.message) condition.message = draft.message;
  const { generation } = pod.metadata;
  if (generation) condition.observedGeneration = generation;
  return condition;
}

/** Times are in whole seconds: what was so for a moment only still shows as having been so. */
function laterThan(time: string | undefined, now: number): number {
  return time === undefined ? now : Math.max(Date.parse(time) + 1000, now);
}

const isFinished = (phase: string | undefined): Draft['reason'] =>
  phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;

function initialized(
  pod: Pod,
  phase: string | undefined,
  init: ContainerStatus[],
  apps: ContainerStatus[],
): Draft {
  if (phase === 'Succeeded') return { type: 'Initialized', status: 'True', reason: 'PodCompleted' };
  const appStarted = apps.some((status) => status.started || status.state?.running);
  const incomplete = init.filter((status, index) => {
    const spec = pod.spec.initContainers?.[index];
    return spec !== undefined && (isSidecar(spec) ? !status.started : !status.ready);
  });
  if (appStarted || incomplete.length === 0) return { type: 'Initialized', status: 'True' };
  return {
    type: 'Initialized',
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.map((status) => status.name).join(' ')}]`,
  };
}

function containersReady(
  observed: PodObservation,
  phase: string | undefined,
  init: ContainerStatus[],
  apps: ContainerStatus[],
): Draft {
  const finished = isFinished(phase);
  if (finished) return { type: 'ContainersReady', status: 'False', reason: finished };
  const sidecars = init.filter((_, index) => {
    const spec = observed.pod.spec.initContainers?.[index];
    return spec !== undefined && isSidecar(spec);
  });
  const unready = [...sidecars, ...apps].filter((status) => !status.ready).map((status) => status.name);
  if (unready.length === 0) return { type: 'ContainersReady', status: 'True' };
  return {
    type: 'ContainersReady',
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

/** ContainersReady also tells what a probe complains about: Ready keeps upstream's words alone. */
function withProbeMessage(
  observed: PodObservation,
  view: PodView,
  ready: Draft,
  apps: ContainerStatus[],
): Draft {
  if (ready.reason !== 'ContainersNotReady') return ready;
  for (const status of apps) {
    const container = view.current(status.name);
    if (status.ready || container?.state !== 'running') continue;
    const complaint = observed.probeMessage(container.id);
    if (complaint !== undefined) {
      return { ...ready, message: `${ready.message}: container ${status.name}: ${complaint}` };
    }
  }
  return ready;
}

function podReady(pod: Pod, containers: Draft): Draft {
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  const complaints: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = conditionOf(pod, conditionType);
    if (condition === undefined) {
      complaints.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    } else if (condition.status !== 'True') {
      complaints.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      );
    }
  }
  if (complaints.length === 0) return { type: 'Ready', status: 'True' };
  return {
    type: 'Ready',
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: complaints.join(', '),
  };
}
