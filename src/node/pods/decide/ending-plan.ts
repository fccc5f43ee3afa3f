// How a pod ends: app containers stopped together, then sidecars in reverse order, then network and volumes taken
// down, then everything removed from the runtime, then the object. Used for deleted pods, for pods whose object is
// gone, for finished pods and for an orderly stop of the node. How one container is stopped is in stop-plan.ts.

import { isSidecar } from '../../../api/pod-state.ts';
import { act, type Decisions } from './decisions.ts';
import type { Ending, PodObservation } from './observation.ts';
import { planStop } from './stop-plan.ts';
import { ephemeralContainers } from './view.ts';

/** What the ending of a pod comes to. */
export type EndingGoal =
  /** Stopped; what ran stays readable in the runtime (logs, exit codes). */
  | 'stopped'
  /** Nothing of it left in the runtime. */
  | 'removed'
  /** The same, and then its object goes too. */
  | 'deleted';

/** How long the pod has to end, and when that is over, if it has begun already. */
export type GracePeriod = Pick<Ending, 'graceSeconds'> & Partial<Pick<Ending, 'deadlineMs'>>;

/** Adds the next steps towards the goal; adds none when it is reached. */
export function planEnding(
  observed: PodObservation,
  goal: EndingGoal,
  period: GracePeriod,
  decisions: Decisions,
): void {
  if (!stopContainers(observed, period, decisions)) return;
  // An action that still runs might start something: it is waited for, and then seen.
  if (observed.busy.has('sandbox') && !allStopped(observed)) return;
  let down = true;
  for (const sandbox of observed.sandboxes) {
    if (observed.stoppedSandboxes.has(sandbox.id)) continue;
    down = false;
    act(observed, decisions, { type: 'stopSandbox', key: 'sandbox', id: sandbox.id });
  }
  if (observed.volumes.state !== 'down') {
    down = false;
    const { volumes, now } = observed;
    if (volumes.state === 'failed' && now < volumes.retryAtMs && volumes.reason === 'FailedUnmount') {
      decisions.wakeAtMs = Math.min(decisions.wakeAtMs ?? volumes.retryAtMs, volumes.retryAtMs);
    } else {
      act(observed, decisions, { type: 'tearDownVolumes', key: 'volumes' });
    }
  }
  if (!down || observed.busy.has('sandbox') || observed.busy.has('volumes') || goal === 'stopped') return;
  if (!observed.removed) {
    act(observed, decisions, { type: 'removeAll', key: 'remove' });
  } else if (goal === 'deleted' && !observed.objectDeleted) {
    act(observed, decisions, { type: 'deleteObject', key: 'delete' });
  }
}

function allStopped(observed: PodObservation): boolean {
  return observed.sandboxes.every((sandbox) => observed.stoppedSandboxes.has(sandbox.id));
}

/** True when nothing runs and nothing is about to. */
function stopContainers(observed: PodObservation, period: GracePeriod, decisions: Decisions): boolean {
  const alive = observed.containers.filter(
    (container) => container.state === 'running' || container.state === 'unknown',
  );
  if (alive.length === 0) return ![...observed.busy].some((key) => key.startsWith('container/'));
  const sidecars = (observed.pod.spec.initContainers ?? []).filter(isSidecar).map((spec) => spec.name);
  const debuggers = ephemeralContainers(observed.pod).map((spec) => spec.name);
  const others = alive.some(({ name }) => !sidecars.includes(name) && !debuggers.includes(name));
  const last = sidecars.findLast((name) => alive.some((container) => container.name === name));
  for (const container of alive) {
    // All begin to end together. A sidecar's signal waits for those that it serves: what started after it.
    const waits = sidecars.includes(container.name) && (others || container.name !== last);
    planStop(observed, decisions, container, {
      ...period,
      message: `Stopping container ${container.name}`,
      isItsTurn: !waits,
    });
  }
  return false;
}
