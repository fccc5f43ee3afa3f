// All containers of a pod with their paths, in upstream's order: init containers first, ephemeral ones last
// (pkg/apis/core/pods, VisitContainersWithPath).
import type { Container, PodSpec } from '../../../generated/types.ts';

/** @param path of the pod's spec. */
export function eachContainer(spec: PodSpec, path: string): (readonly [Container, path: string])[] {
  const all: (readonly [Container, path: string])[] = [];
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      all.push([container, `${path}.${list}[${index}]`]);
    }
  }
  return all;
}
