// What a pod that should run needs next: volumes, sandbox, images, init containers in order, app containers,
// restarts (kubelet's computePodActions and computeInitContainerActions). Decides only; see worker.ts for the doing.
import type { Container as ContainerSpec } from '../../api/generated/types.ts';
import { crashBackoff, goDuration } from './backoff.ts';
import type { Action, ContainerWaits, CrashBackoff, PodObservation } from './observation.ts';
import {
  describePod,
  hasStarted,
  isSidecar,
  type PodView,
  restartPolicyOf,
  shouldStart,
} from './view.ts';

/** How often a container that waits for its image looks whether the image has appeared by itself. */
export const IMAGE_RECHECK_MS = 2000;

export interface Decisions {
  actions: Action[];
  /** By container name: what its waiting state says. */
  waits: Map<string, ContainerWaits>;
  wakeAtMs: number | undefined;
  /** Everything has run to its end: sidecars, sandbox and volumes are to be taken down. */
  finished: boolean;
}

export function newDecisions(): Decisions {
  return { actions: [], waits: new Map(), wakeAtMs: undefined, finished: false };
}

export function wakeAt(decisions: Decisions, timeMs: number): void {
  if (decisions.wakeAtMs === undefined || timeMs < decisions.wakeAtMs) decisions.wakeAtMs = timeMs;
}

/** Adds an action unless one of its key is under way. */
export function act(observed: PodObservation, decisions: Decisions, action: Action): void {
  if (!observed.busy.has(action.key)) decisions.actions.push(action);
}

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
    if (!stopStrays(observed, view, decisions)) planSandbox(observed, view, decisions);
  }
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
      restartUnhealthy(observed, decisions, spec, current.id);
      active++;
    } else if (shouldStart(pod, newest) || observed.busy.has(`container/${spec.name}`)) {
      active++;
      planStart(observed, view, decisions, spec);
    }
  }
  decisions.finished = active === 0;
  return decisions;
}

/** A pod that has run and may not run again gets no new sandbox; nor does one whose containers are all done. */
function mayMakeSandbox(observed: PodObservation, view: PodView): boolean {
  const { pod } = observed;
  const ranBefore = observed.containers.some((container) => container.state !== 'created');
  if (restartPolicyOf(pod) === 'Never' && ranBefore) return false;
  return pod.spec.containers.some((spec) => shouldStart(pod, view.newest(spec.name))) || anyRunning(observed);
}

function anyRunning(observed: PodObservation): boolean {
  return observed.containers.some((container) => container.state === 'running');
}

function planVolumes(observed: PodObservation, decisions: Decisions): void {
  const { volumes, now } = observed;
  if (volumes.state === 'ready') return;
  if (volumes.state === 'failed' && now < volumes.retryAtMs) return wakeAt(decisions, volumes.retryAtMs);
  act(observed, decisions, { type: 'setUpVolumes', key: 'volumes' });
}

/** Containers that outlived their sandbox are stopped before there is a new one. True while there are any. */
function stopStrays(observed: PodObservation, view: PodView, decisions: Decisions): boolean {
  if (view.sandbox === undefined) return false;
  let found = false;
  for (const container of observed.containers) {
    if (container.state !== 'running') continue;
    found = true;
    act(observed, decisions, {
      type: 'stopContainer',
      key: `container/${container.name}`,
      container: container.name,
      id: container.id,
      graceSeconds: observed.pod.spec.terminationGracePeriodSeconds ?? 30,
      message: `Stopping container ${container.name}`,
    });
  }
  return found;
}

function planSandbox(observed: PodObservation, view: PodView, decisions: Decisions): void {
  const { sandboxFailure, now } = observed;
  if (sandboxFailure !== undefined && now < sandboxFailure.retryAtMs) {
    return wakeAt(decisions, sandboxFailure.retryAtMs);
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
      } else if (restartUnhealthy(observed, decisions, spec, current.id) || !hasStarted(observed, spec, current)) {
        if (!appStarted) return 'waiting';
      }
      continue;
    }
    if (appStarted || (current?.state === 'exited' && current.exitCode === 0)) continue;
    if (current?.state === 'running') return 'waiting';
    if (current?.state === 'exited' && restartPolicyOf(pod) === 'Never') return 'failed';
    planStart(observed, view, decisions, spec);
    return 'waiting';
  }
  return 'done';
}

/** Stops a running container whose liveness or startup probe has failed; what follows is an ordinary restart. */
function restartUnhealthy(
  observed: PodObservation,
  decisions: Decisions,
  spec: ContainerSpec,
  id: string,
): boolean {
  const failed = (['startup', 'liveness'] as const).find((kind) => observed.probe(id, kind) === 'failure');
  if (failed === undefined) return false;
  const probe = failed === 'startup' ? spec.startupProbe : spec.livenessProbe;
  const restarts = isSidecar(spec) || restartPolicyOf(observed.pod) !== 'Never';
  act(observed, decisions, {
    type: 'stopContainer',
    key: `container/${spec.name}`,
    container: spec.name,
    id,
    graceSeconds:
      probe?.terminationGracePeriodSeconds ?? observed.pod.spec.terminationGracePeriodSeconds ?? 30,
    message: `Container ${spec.name} failed ${failed} probe${restarts ? ', will be restarted' : ''}`,
  });
  return true;
}

/** The next step towards a running container: back-off, image, then the start itself. */
function planStart(
  observed: PodObservation,
  view: PodView,
  decisions: Decisions,
  spec: ContainerSpec,
): void {
  const { pod, now } = observed;
  const { name } = spec;
  if (observed.busy.has(`container/${name}`)) {
    const before = observed.startFailures.get(name);
    if (before !== undefined) decisions.waits.set(name, before);
    return;
  }
  const newest = view.newest(name);
  if (newest?.state === 'created' || newest?.state === 'unknown') {
    act(observed, decisions, { type: 'removeContainer', key: `container/${name}`, id: newest.id });
    return;
  }
  let backoff: CrashBackoff | undefined;
  if (newest?.state === 'exited' && !isCompletedInit(observed, spec, newest.exitCode)) {
    const verdict = crashBackoff(observed.backoffs.get(name), newest.finishedAtMs, now);
    if ('waitUntilMs' in verdict) {
      decisions.waits.set(name, {
        reason: 'CrashLoopBackOff',
        message: `back-off ${goDuration(verdict.delayMs)} restarting failed container=${name} pod=${describePod(pod)}`,
      });
      return wakeAt(decisions, verdict.waitUntilMs);
    }
    backoff = verdict.next;
  }
  const failure = observed.startFailures.get(name);
  if (failure !== undefined) {
    decisions.waits.set(name, failure);
    if (now < failure.retryAtMs) return wakeAt(decisions, failure.retryAtMs);
  }
  const image = observed.images.get(name);
  if (image?.state !== 'present') return planImage(observed, decisions, spec);
  if (view.usable === undefined || observed.volumes.state !== 'ready') return;
  act(observed, decisions, {
    type: 'startContainer',
    key: `container/${name}`,
    container: name,
    attempt: nextAttempt(observed, view, name),
    sandboxId: view.usable.id,
    image: image.image,
    backoff,
  });
}

/** An init container that succeeded in an earlier sandbox runs again without a back-off. */
function isCompletedInit(observed: PodObservation, spec: ContainerSpec, exitCode: number): boolean {
  return exitCode === 0 && (observed.pod.spec.initContainers ?? []).includes(spec);
}

/** The restart count goes on where the runtime, or failing that the API's status, left off. */
function nextAttempt(observed: PodObservation, view: PodView, name: string): number {
  const newest = view.newest(name);
  if (newest !== undefined) return newest.attempt + 1;
  const { status } = observed.pod;
  const reported = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find(
    (candidate) => candidate.name === name,
  );
  return reported?.containerID === undefined ? 0 : reported.restartCount + 1;
}

function planImage(observed: PodObservation, decisions: Decisions, spec: ContainerSpec): void {
  const { now } = observed;
  const image = observed.images.get(spec.name);
  const key = `image/${spec.name}`;
  if (image?.state !== 'failed') {
    return act(observed, decisions, { type: 'ensureImage', key, container: spec.name, mayPull: true });
  }
  decisions.waits.set(spec.name, imageWait(spec, image, now));
  if (now >= image.retryAtMs) {
    return act(observed, decisions, { type: 'ensureImage', key, container: spec.name, mayPull: true });
  }
  const recheckAt = image.checkedAtMs + IMAGE_RECHECK_MS;
  if (now >= recheckAt) {
    act(observed, decisions, { type: 'ensureImage', key, container: spec.name, mayPull: false });
  }
  wakeAt(decisions, Math.min(image.retryAtMs, now >= recheckAt ? image.retryAtMs : recheckAt));
}

/** First the failure itself is shown, then the back-off, as kubelet's next sync does. */
function imageWait(
  spec: ContainerSpec,
  failure: { reason: string; message: string; failedAtMs: number },
  now: number,
): ContainerWaits {
  if (failure.reason !== 'ErrImagePull' || now - failure.failedAtMs < IMAGE_RECHECK_MS) {
    return { reason: failure.reason, message: failure.message };
  }
  return {
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${spec.image}": ErrImagePull: ${failure.message}`,
  };
}
