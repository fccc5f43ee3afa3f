// The parts of a pod that have a subresource of their own: ephemeral containers, and the resources of containers
// (pkg/registry/core/pod/strategy.go, podEphemeralContainersStrategy and podResizeStrategy).

import { present } from '../../../base/present.ts';
import type { Container, Pod } from '../../generated/types.ts';
import type { PartStrategy } from '../../resource.ts';
import { validateEphemeralContainersUpdate } from './validation/ephemeral-containers.ts';
import { validatePodItself } from './validation/pod.ts';
import { validatePodResize } from './validation/resize.ts';

export const ephemeralContainersPart: PartStrategy<Pod> = {
  merge(wanted, old) {
    const { ephemeralContainers: _, ...spec } = old.spec;
    const { ephemeralContainers = [] } = wanted.spec;
    return { ...old, spec: ephemeralContainers.length > 0 ? { ...spec, ephemeralContainers } : spec };
  },
  validate: (pod, old) => [...validatePodItself(pod), ...validateEphemeralContainersUpdate(pod, old)],
};

export const resizePart: PartStrategy<Pod> = {
  merge(wanted, old) {
    const spec = { ...old.spec, containers: resized(wanted.spec.containers, old.spec.containers) };
    if (old.spec.initContainers || wanted.spec.initContainers) {
      spec.initContainers = resized(wanted.spec.initContainers ?? [], old.spec.initContainers ?? []);
    }
    return { ...old, spec };
  },
  validate: (pod, old) => [...validatePodItself(pod), ...validatePodResize(pod, old)],
};

/** The old containers with the resources and resize policies that are wanted; another list is left to validation. */
function resized(wanted: readonly Container[], old: readonly Container[]): Container[] {
  const same = wanted.length === old.length && old.every(({ name }, i) => wanted[i]?.name === name);
  if (!same) return [...wanted];
  return old.map((before, index) => {
    const { resources, resizePolicy } = wanted[index] ?? before;
    return present({ ...before, resources, resizePolicy });
  });
}
