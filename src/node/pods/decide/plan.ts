// The decision about one pod: what to do next, and what its status is, in which stands what it waits for. A pure
// function of what was observed; kubelet's syncPod, computePodActions and generateAPIPodStatus are its model.

import { isPodFinished } from '../../../api/pod-state.ts';
import { present } from '../../../base/present.ts';
import { podStatus } from '../status/status.ts';
import { type Decisions, newDecisions, wakeAt } from './decisions.ts';
import { planEnding } from './ending-plan.ts';
import type { PodObservation, PodPlan } from './observation.ts';
import { planRunning } from './start-plan.ts';
import { graceSecondsOf, type PodView, viewOf } from './view.ts';

/** How often a resize that the node has no room for is tried again. */
const DEFERRED_RESIZE_MS = 2000;

/** Answers one observation. Safe to ask again at any time: actions under way are not asked for twice. */
export function planPod(observed: PodObservation): PodPlan {
  const view = viewOf(observed);
  const { decisions, failure, terminating } = decide(observed, view);
  const status = podStatus(observed, view, decisions, failure);
  const { actions, wakeAtMs } = decisions;
  return present({ actions, status, terminating, wakeAtMs });
}

/** Upstream's reason of a pod that the node did not keep or take. */
export const EVICTED = 'Evicted';

/** Why the whole pod has failed, whatever its containers say. */
export interface PodFailure {
  reason: string;
  message: string;
}

interface Decided {
  decisions: Decisions;
  failure: PodFailure | undefined;
  terminating: boolean;
}

function decide(observed: PodObservation, view: PodView): Decided {
  const { ending, eviction, pod, rejection } = observed;
  const decisions = newDecisions();
  if (ending !== undefined) {
    const goal = ending.cause === 'deleted' ? 'deleted' : ending.cause === 'removed' ? 'removed' : 'stopped';
    const { deadlineMs, graceSeconds } = ending;
    planEnding(observed, goal, { graceSeconds, deadlineMs }, decisions);
    return { decisions, failure: rejection ?? evicted(eviction), terminating: true };
  }
  const deadline = deadlineOf(observed);
  const overdue = deadline !== undefined && observed.now >= deadline;
  const failure =
    rejection ??
    evicted(eviction) ??
    (overdue
      ? {
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        }
      : undefined);
  if (failure !== undefined || isPodFinished(pod)) {
    const graceSeconds = eviction?.graceSeconds ?? graceSecondsOf(pod);
    planEnding(observed, goalOfFinished(observed), { graceSeconds }, decisions);
    return { decisions, failure, terminating: true };
  }
  const running = planRunning(observed, view);
  if (running.finished) {
    planEnding(observed, 'stopped', { graceSeconds: graceSecondsOf(pod) }, decisions);
    const ending = { ...decisions, waits: running.waits, finished: true };
    return { decisions: ending, failure: undefined, terminating: true };
  }
  if (deadline !== undefined) wakeAt(running, deadline);
  if (observed.resizePending?.reason === 'Deferred') wakeAt(running, observed.now + DEFERRED_RESIZE_MS);
  return { decisions: running, failure: undefined, terminating: false };
}

function evicted(eviction: PodObservation['eviction']): PodFailure | undefined {
  return eviction && { reason: EVICTED, message: eviction.message };
}

/** What is over stays readable in the runtime, unless the node has to have its space. */
function goalOfFinished({ eviction, pod, reclaimed }: PodObservation): 'stopped' | 'removed' {
  return reclaimed || eviction !== undefined || pod.status?.reason === EVICTED ? 'removed' : 'stopped';
}

function deadlineOf(observed: PodObservation): number | undefined {
  const { activeDeadlineSeconds } = observed.pod.spec;
  const { startTime } = observed.pod.status ?? {};
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  return Date.parse(startTime) + activeDeadlineSeconds * 1000;
}
