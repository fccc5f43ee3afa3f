// The next step of one container that should run: crash back-off, retry, image, then the start itself (kubelet's
// doBackOff and startContainer, as decisions).
import type { Container as ContainerSpec, ContainerStateWaiting } from '../../../api/generated/types.ts';
import { crashBackoff, goDuration } from './backoff.ts';
import { act, type Decisions, wakeAt } from './decisions.ts';
import type { CrashBackoff, ImageState, PodObservation } from './observation.ts';
import { describePod, hasOtherImage, type PodView, reportedStatuses } from './view.ts';

/** How often a container that waits for its image looks whether the image has appeared by itself. */
const IMAGE_RECHECK_MS = 2000;

/** The next step towards a running container: back-off, image, then the start itself. */
export function planStart(
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
  // The back-off is that of a container that crashes; another image is another container.
  const crashed = newest?.state === 'exited' && !hasOtherImage(spec, newest) ? newest : undefined;
  if (crashed && !isCompletedInit(observed, spec, crashed.exitCode)) {
    const verdict = crashBackoff(observed.backoffs.get(name), crashed.finishedAtMs, now);
    if ('waitUntilMs' in verdict) {
      decisions.waits.set(name, {
        reason: 'CrashLoopBackOff',
        message: `back-off ${goDuration(verdict.delayMs)} restarting failed container=${name} pod=${describePod(pod)}`,
      });
      wakeAt(decisions, verdict.waitUntilMs);
      return;
    }
    backoff = verdict.next;
  }
  const failure = observed.startFailures.get(name);
  if (failure !== undefined) {
    decisions.waits.set(name, failure);
    if (now < failure.retryAtMs) {
      wakeAt(decisions, failure.retryAtMs);
      return;
    }
  }
  const image = imageOf(observed, spec);
  if (image?.state !== 'present') {
    planImage(observed, decisions, spec);
    return;
  }
  const { volumes } = observed;
  if (volumes.state === 'failed' && volumes.reason === 'InspectFailed') {
    decisions.waits.set(name, { reason: 'InvalidImageName', message: volumes.message });
  }
  if (view.usable === undefined || volumes.state !== 'ready') return;
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
  const reported = reportedStatuses(observed.pod).find((candidate) => candidate.name === name);
  return reported?.containerID === undefined ? 0 : reported.restartCount + 1;
}

/** What is known of the image that the spec asks for now; an earlier one's failures do not count. */
function imageOf(observed: PodObservation, spec: ContainerSpec): ImageState | undefined {
  const known = observed.images.get(spec.name);
  return known?.name === (spec.image ?? '') ? known : undefined;
}

function planImage(observed: PodObservation, decisions: Decisions, spec: ContainerSpec): void {
  const { now } = observed;
  const image = imageOf(observed, spec);
  const key = `image/${spec.name}`;
  if (image?.state !== 'failed') {
    act(observed, decisions, { type: 'ensureImage', key, container: spec.name, mayPull: true });
    return;
  }
  decisions.waits.set(spec.name, imageWait(spec, image, now));
  if (now >= image.retryAtMs) {
    act(observed, decisions, { type: 'ensureImage', key, container: spec.name, mayPull: true });
    return;
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
): Required<ContainerStateWaiting> {
  if (failure.reason !== 'ErrImagePull' || now - failure.failedAtMs < IMAGE_RECHECK_MS) {
    return { reason: failure.reason, message: failure.message };
  }
  return {
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${spec.image}": ErrImagePull: ${failure.message}`,
  };
}
