// What a pod is where it says nothing, as far as it depends on more than one field (pkg/apis/core/v1/defaults.go,
// SetDefaults_Pod).
import type { Container, Pod } from '../../generated/types.ts';
import { setPodResourceDefaults } from './resource-defaults.ts';

/** What a container may use at most is also what it asks for, unless it asks for something else. */
function requestWhatIsLimited(container: Container): void {
  const limits = container.resources?.limits;
  if (!limits) return;
  container.resources = { ...container.resources, requests: { ...limits, ...container.resources?.requests } };
}

function useHostPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

/** Changes the pod in place. */
export function setPodDefaults({ spec }: Pod): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  containers.forEach(requestWhatIsLimited);
  setPodResourceDefaults(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) containers.forEach(useHostPorts);
}
