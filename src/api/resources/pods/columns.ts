// What `kubectl get pods` shows: READY, STATUS and RESTARTS are read off the container statuses. Follows printPod in
// pkg/printers/internalversion/printers.go.

import { conditionOf, isConditionTrue, isReady } from '../../conditions.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../generated/types.ts';
import { ageOf } from '../../human-duration.ts';
import { isSidecar } from '../../pod-state.ts';
import type { Column, RowCondition } from '../../resource.ts';
import { ageColumn, column, nameColumn, wideColumn } from '../shared/columns.ts';

const NONE = '<none>';

/** What the first columns of a pod's row say. */
export interface PodSummary {
  ready: number;
  total: number;
  status: string;
  restarts: number;
  /** When a container was last restarted, RFC 3339; undefined if the kubelet did not say. */
  lastRestart: string | undefined;
}

/** How a finished container is named: its reason, else its signal, else its exit code. */
function finishedReason(state: ContainerState): string | undefined {
  const finished = state.terminated;
  if (finished === undefined) return undefined;
  if (finished.reason) return finished.reason;
  return finished.signal ? `Signal:${finished.signal}` : `ExitCode:${finished.exitCode}`;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(b) > Date.parse(a) ? b : a;
}

/** What keeps one init container from being through, or undefined when the next one is to be looked at. */
function initializingReason(status: ContainerStatus, index: number, total: number): string | undefined {
  const state = status.state ?? {};
  if (state.terminated?.exitCode === 0) return undefined;
  const finished = finishedReason(state);
  if (finished !== undefined) return `Init:${finished}`;
  const waiting = state.waiting?.reason;
  if (waiting && waiting !== 'PodInitializing') return `Init:${waiting}`;
  return `Init:${index}/${total}`;
}

/** Sums a pod up as `kubectl get pods` does. */
function summarizePod(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const initContainers = pod.spec.initContainers ?? [];
  const summary: PodSummary = {
    ready: 0,
    total: pod.spec.containers.length + initContainers.filter(isSidecar).length,
    status: status.reason || status.phase || '',
    restarts: 0,
    lastRestart: undefined,
  };
  if (conditionOf(pod, 'PodScheduled')?.reason === 'SchedulingGated') {
    summary.status = 'SchedulingGated';
  }

  let sidecarRestarts = 0;
  let lastSidecarRestart: string | undefined;
  let initializing = false;
  for (const [index, container] of (status.initContainerStatuses ?? []).entries()) {
    const spec = initContainers.find((it) => it.name === container.name);
    const sidecar = spec !== undefined && isSidecar(spec);
    const finishedAt = container.lastState?.terminated?.finishedAt;
    summary.restarts += container.restartCount;
    summary.lastRestart = later(summary.lastRestart, finishedAt);
    if (sidecar) {
      sidecarRestarts += container.restartCount;
      lastSidecarRestart = later(lastSidecarRestart, finishedAt);
    }
    if (sidecar && container.started === true && container.state?.terminated?.exitCode !== 0) {
      if (container.ready) summary.ready++;
      continue;
    }
    const reason = initializingReason(container, index, initContainers.length);
    if (reason === undefined) continue;
    summary.status = reason;
    initializing = true;
    break;
  }

  if (!initializing || isConditionTrue(pod, 'Initialized')) {
    summary.restarts = sidecarRestarts;
    summary.lastRestart = lastSidecarRestart;
    summarizeContainers(pod, summary);
  }

  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') summary.status = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.status = 'Terminating';
  }
  return summary;
}

/** The main containers: the first one that waits or has ended gives the status. */
function summarizeContainers(pod: Pod, summary: PodSummary): void {
  let running = false;
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    const state = container.state ?? {};
    summary.restarts += container.restartCount;
    summary.lastRestart = later(summary.lastRestart, container.lastState?.terminated?.finishedAt);
    const reason = state.waiting?.reason || finishedReason(state);
    if (reason) {
      summary.status = reason;
    } else if (container.ready && state.running) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.status === 'Completed' && running) {
    summary.status = isReady(pod) ? 'Running' : 'NotReady';
  }
}

/** `3`, or `3 (5m ago)` when it is known when the last one was. */
function restartsCell(pod: Pod, nowMs: number): string {
  const { restarts, lastRestart } = summarizePod(pod);
  return restarts > 0 && lastRestart !== undefined
    ? `${restarts} (${ageOf(lastRestart, nowMs)} ago)`
    : `${restarts}`;
}

/** How many of the readiness gates' conditions are true: `1/2`. */
function readinessGatesCell(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return NONE;
  return `${gates.filter((gate) => isConditionTrue(pod, gate.conditionType)).length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn(),
  column('Ready', 'The aggregate readiness state of this pod for accepting traffic.', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  column('Status', 'The aggregate status of the containers in this pod.', (pod) => summarizePod(pod).status),
  column(
    'Restarts',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    restartsCell,
  ),
  ageColumn(),
  wideColumn(
    'IP',
    'IP address allocated to the pod.',
    (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || NONE,
  ),
  wideColumn('Node', 'The node that the pod is scheduled on.', (pod) => pod.spec.nodeName || NONE),
  wideColumn(
    'Nominated Node',
    'The node that preemption reserved for the pod.',
    (pod) => pod.status?.nominatedNodeName || NONE,
  ),
  wideColumn(
    'Readiness Gates',
    'How many of the conditions that the readiness gates name are true.',
    readinessGatesCell,
  ),
];

const ended = (reason: string, message: string): readonly RowCondition[] => [
  { type: 'Completed', status: 'True', reason, message },
];
const SUCCEEDED = ended('Succeeded', 'The pod has completed successfully.');
const FAILED = ended('Failed', 'The pod failed.');

/** That a pod will never run again. */
export function podRowConditions({ status }: Pod): readonly RowCondition[] {
  if (status?.phase === 'Succeeded') return SUCCEEDED;
  return status?.phase === 'Failed' ? FAILED : [];
}
