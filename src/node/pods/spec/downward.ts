// The downward API: values of fieldRef and resourceFieldRef as a container sees them (kubelet's fieldpath and
// api/v1/resource helpers). Pure.

import type {
  Container,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
} from '../../../api/generated/types.ts';
import { quantityToNumber } from '../../../api/quantity.ts';
import { allContainers } from '../decide/view.ts';

/** What the pod's object cannot tell: it is known when the container starts. */
export interface Placement {
  podIps: readonly string[];
  nodeIps: readonly string[];
  nodeName: string;
  /** What a container without limits may use. */
  allocatable: { cpuCores: number; memoryBytes: number };
}

/** The value of a field, or undefined if upstream does not offer it. */
export function fieldValue(pod: Pod, field: ObjectFieldSelector, placement: Placement): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(field.fieldPath);
  if (keyed) {
    const map = keyed[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[keyed[2] ?? ''] ?? '';
  }
  switch (field.fieldPath) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'spec.nodeName':
      return spec.nodeName ?? placement.nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return placement.nodeIps[0] ?? '';
    case 'status.hostIPs':
      return placement.nodeIps.join(',');
    case 'status.podIP':
      return placement.podIps[0] ?? '';
    case 'status.podIPs':
      return placement.podIps.join(',');
    default:
      return undefined;
  }
}

/** The value of a resource field in units of its divisor, rounded up; undefined for a container that is not there. */
export function resourceValue(
  pod: Pod,
  container: Container,
  field: ResourceFieldSelector,
  placement: Placement,
): string | undefined {
  const of = field.containerName
    ? allContainers(pod).find((candidate) => candidate.name === field.containerName)
    : container;
  const match = /^(limits|requests)\.(.+)$/.exec(field.resource);
  if (of === undefined || match === null) return undefined;
  const [, side, resource = ''] = match;
  const limit = of.resources?.limits?.[resource];
  const quantity = side === 'limits' ? limit : (of.resources?.requests?.[resource] ?? limit);
  const fallback =
    side !== 'limits'
      ? 0
      : resource === 'cpu'
        ? placement.allocatable.cpuCores
        : resource === 'memory'
          ? placement.allocatable.memoryBytes
          : 0;
  const amount = quantity === undefined ? fallback : quantityToNumber(quantity);
  const divisor = field.divisor === undefined ? 1 : quantityToNumber(field.divisor) || 1;
  // 0.1 / 0.001 is 100.00000000000001 in floating point: what is nearly whole is whole.
  return String(Math.ceil(Number((amount / divisor).toFixed(6))));
}
