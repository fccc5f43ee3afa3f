// The next step of a running container that has been given other resources: the runtime is told, or, where its
// resizePolicy wants it, the container starts again with them (kubelet kuberuntime_manager.go, computePodResizeAction).
import type { Container as ContainerSpec } from '../../../api/generated/types.ts';
import type { Container } from '../../runtime.ts';
import { act, type Decisions, wakeAt } from './decisions.ts';
import type { PodObservation } from './observation.ts';
import { needsRestart, resizedResources } from './resize.ts';
import { planStop } from './stop-plan.ts';
import { graceSecondsOf } from './view.ts';

/** @param spec with the resources that it has been given. */
export function planResize(
  observed: PodObservation,
  decisions: Decisions,
  spec: ContainerSpec,
  container: Container,
): void {
  const resized = isBeingResized(observed, spec, container.id);
  if (resized.length === 0) return;
  if (needsRestart(spec, resized)) {
    planStop(observed, decisions, container, {
      graceSeconds: graceSecondsOf(observed.pod),
      message: `Container ${spec.name} resize requires restart`,
    });
    return;
  }
  const failure = observed.resizeFailures.get(container.id);
  if (failure !== undefined && observed.now < failure.retryAtMs) {
    wakeAt(decisions, failure.retryAtMs);
    return;
  }
  const key = `container/${spec.name}`;
  act(observed, decisions, { type: 'resizeContainer', key, container: spec.name, id: container.id });
}

/** Which resources of a running container are not yet what it has been given. */
export function isBeingResized(
  observed: PodObservation,
  spec: ContainerSpec,
  id: string,
): ReturnType<typeof resizedResources> {
  const applied = observed.applied.get(id);
  return applied === undefined ? [] : resizedResources(applied, spec.resources);
}
