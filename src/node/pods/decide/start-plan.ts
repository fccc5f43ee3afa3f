// What a pod that should run needs next: volumes, sandbox, init containers in order, app containers, restarts
// (kubelet's computePodActions and computeInitContainerActions). Decides only; see worker.ts for the doing.
import type { Container as ContainerSpec } from '../../../api/generated/types.ts';
import { isSidecar } from '../../../api/pod-state.ts';
import type { Container } from '../../runtime.ts';
import { planStart } from './container-plan.ts';
import { act, type Decisions, newDecisions, wakeAt } from './decisions.ts';
import type { PodObservation } from './observation.ts';
import { planResize } from './resize-plan.ts';
import { planStop } from './stop-plan.ts';
import {
  ephemeralContainers,
  graceSecondsOf,
  hasOtherImage,
  hasStarted,
  type PodView,
  restartPolicyOf,
  restartsAfter,
  shouldStart,
} from './view.ts';

/** Plans a pod that is not ending. */
export function planRunning(observed: PodObservation, view: PodView): Decisions {
  const decisions = newDecisions();
  const { pod } = observed;
  const needsSandbox = view.usable === undefined;
  if (needsSandbox && !mayMakeSandbox(observed, view)) {
    decisions.finished = true;
    return decisions;
  }
  planVolumes(observed, decisions);
  if (needsSandbox) {
    if (!stopStrays(observed, decisions)) planSandbox(observed, view, decisions);
  }
  planEphemeral(observed, view, decisions);
  const initialized = planInitContainers(observed, view, decisions);
  if (initialized !== 'done') {
    decisions.finished = initialized === 'failed';
    return decisions;
  }
  let active = 0;
  for (const spec of pod.spec.containers) {
    const newest = view.newest(spec.name);
    const current = view.current(spec.name);
    if (current?.state === 'running') {
      restartChanged(observed, decisions, spec, current) ||
        restartUnhealthy(observed, decisions, spec, current) ||
        planResize(observed, decisions, spec, current);
      active++;
    } else if (shouldStart(pod, spec, newest)) {
      active++;
      planStart(observed, view, decisions, spec);
    } else if (observed.busy.has(`container/${spec.name}`)) {
      // It has run to its end while its start, or its stop, was being finished: it waits for nothing any more.
      active++;
    }
  }
  decisions.finished = active === 0;
  return decisions;
}

/** A pod that has run and may not run again gets no new sandbox; nor does one whose containers are all done. */
function mayMakeSandbox(observed: PodObservation, view: PodView): boolean {
  const { pod } = observed;
  const ranBefore = observed.containers.some((container) => container.state !== 'created');
  const mayRestart = pod.spec.containers.some(
    ({ restartPolicy }) => restartPolicy && restartPolicy !== 'Never',
  );
  const hasRules = pod.spec.containers.some(({ restartPolicyRules = [] }) => restartPolicyRules.length > 0);
  if (restartPolicyOf(pod) === 'Never' && !mayRestart && !hasRules && ranBefore) return false;
  return (
    pod.spec.containers.some((spec) => shouldStart(pod, spec, view.newest(spec.name))) || anyRunning(observed)
  );
}

function anyRunning(observed: PodObservation): boolean {
  return observed.containers.some((container) => container.state === 'running');
}

function planVolumes(observed: PodObservation, decisions: Decisions): void {
  const { volumes, now } = observed;
  if (volumes.state === 'ready') return;
  if (volumes.state === 'failed' && now < volumes.retryAtMs) wakeAt(decisions, volumes.retryAtMs);
  else act(observed, decisions, { type: 'setUpVolumes', key: 'volumes' });
}

/** Containers that outlived their sandbox are stopped before there is a new one. True while there are any. */
function stopStrays(observed: PodObservation, decisions: Decisions): boolean {
  let found = false;
  for (const container of observed.containers) {
    if (container.state !== 'running') continue;
    found = true;
    planStop(observed, decisions, container, {
      graceSeconds: graceSecondsOf(observed.pod),
      message: `Stopping container ${container.name}`,
    });
  }
  return found;
}

function planSandbox(observed: PodObservation, view: PodView, decisions: Decisions): void {
  const { sandboxFailure, now } = observed;
  if (sandboxFailure !== undefined && now < sandboxFailure.retryAtMs) {
    wakeAt(decisions, sandboxFailure.retryAtMs);
    return;
  }
  act(observed, decisions, {
    type: 'runSandbox',
    key: 'sandbox',
    attempt: view.sandbox === undefined ? 0 : view.sandbox.attempt + 1,
    replaced: observed.sandboxes.map((sandbox) => sandbox.id),
  });
}

/** `done`: app containers may start; `failed`: the pod has failed for good. */
function planInitContainers(
  observed: PodObservation,
  view: PodView,
  decisions: Decisions,
): 'done' | 'waiting' | 'failed' {
  const { pod } = observed;
  const appStarted = pod.spec.containers.some((spec) => {
    const state = view.current(spec.name)?.state;
    return state === 'running' || state === 'exited';
  });
  for (const spec of pod.spec.initContainers ?? []) {
    const current = view.current(spec.name);
    if (isSidecar(spec)) {
      if (current?.state !== 'running') {
        planStart(observed, view, decisions, spec);
        if (!appStarted) return 'waiting';
      } else if (
        restartChanged(observed, decisions, spec, current) ||
        restartUnhealthy(observed, decisions, spec, current) ||
        !hasStarted(observed, spec, current)
      ) {
        if (!appStarted) return 'waiting';
      } else {
        planResize(observed, decisions, spec, current);
      }
      continue;
    }
    if (appStarted || (current?.state === 'exited' && current.exitCode === 0)) continue;
    if (current?.state === 'running') return 'waiting';
    if (current?.state === 'exited' && !restartsAfter(pod, spec, current.exitCode)) return 'failed';
    planStart(observed, view, decisions, spec);
    return 'waiting';
  }
  return 'done';
}

/** Starts each ephemeral container once: what has run is never started again, nor waited for. */
function planEphemeral(observed: PodObservation, view: PodView, decisions: Decisions): void {
  const reported = new Map(
    observed.pod.status?.ephemeralContainerStatuses?.map((status) => [status.name, status]),
  );
  for (const spec of ephemeralContainers(observed.pod)) {
    const state = view.newest(spec.name)?.state;
    const ran = state === 'running' || state === 'exited';
    if (!ran && !reported.get(spec.name)?.containerID) planStart(observed, view, decisions, spec);
  }
}

/** Stops a running container whose spec asks for another image now; it starts again with that one, in place. */
function restartChanged(
  observed: PodObservation,
  decisions: Decisions,
  spec: ContainerSpec,
  container: Container,
): boolean {
  // One that does not run again when it has ended well would end the pod.
  const restarts = (spec.restartPolicy ?? restartPolicyOf(observed.pod)) === 'Always';
  if (!restarts || !hasOtherImage(spec, container)) return false;
  planStop(observed, decisions, container, {
    graceSeconds: graceSecondsOf(observed.pod),
    message: `Container ${spec.name} definition changed, will be restarted`,
  });
  return true;
}

/** Stops a running container whose liveness or startup probe has failed; what follows is an ordinary restart. */
function restartUnhealthy(
  observed: PodObservation,
  decisions: Decisions,
  spec: ContainerSpec,
  container: Container,
): boolean {
  const failed = (['startup', 'liveness'] as const).find(
    (kind) => observed.probe(container.id, kind) === 'failure',
  );
  if (failed === undefined) return false;
  const probe = failed === 'startup' ? spec.startupProbe : spec.livenessProbe;
  const restarts = (spec.restartPolicy ?? restartPolicyOf(observed.pod)) !== 'Never';
  planStop(observed, decisions, container, {
    graceSeconds: probe?.terminationGracePeriodSeconds ?? graceSecondsOf(observed.pod),
    message: `Container ${spec.name} failed ${failed} probe${restarts ? ', will be restarted' : ''}`,
  });
  return true;
}
