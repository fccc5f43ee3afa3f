// What a pod's own requests and limits are where it says only a part of them: what its containers come to, or, for
// requests, its limits (pkg/apis/core/v1/defaults.go, defaultHugePagePodLimits, defaultPodRequests, defaultPodLimits).
import type { Pod, PodSpec } from '../../generated/types.ts';
import { type Amounts, podLimits, podRequests } from '../../pod-resources.ts';
import { formatQuantity } from '../../quantity.ts';

type Written = Record<string, string>;

const isHugePages = (resource: string): boolean => resource.startsWith('hugepages-');
const isComputed = (resource: string): boolean => resource === 'cpu' || resource === 'memory';

/** The containers alone, without what the pod says for itself. */
function containersOf(spec: PodSpec): Pod {
  const { resources: _, overhead: __, ...rest } = spec;
  return { metadata: {}, spec: rest };
}

function fill(written: Written, amounts: Amounts, wanted: (resource: string) => boolean): void {
  for (const [resource, nano] of amounts) {
    if (written[resource] !== undefined || !wanted(resource)) continue;
    written[resource] = formatQuantity(nano, resource === 'cpu' ? 'DecimalSI' : 'BinarySI');
  }
}

/** Changes the spec in place; a pod that says nothing for itself is left so. */
export function setPodResourceDefaults(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources) return;
  const limits: Written = { ...resources.limits };
  const requests: Written = { ...resources.requests };
  const asksFirst = Object.keys(requests).length > 0;
  const isLimited = Object.keys(limits).length > 0;
  if (!asksFirst && !isLimited) return;
  const pod = containersOf(spec);
  const used = podLimits(pod);
  fill(limits, used, (resource) => isHugePages(resource) && requests[resource] === undefined);
  if (Object.keys(limits).length > 0) {
    fill(requests, podRequests(pod), isComputed);
    for (const [resource, limit] of Object.entries(limits)) {
      if (isComputed(resource) || isHugePages(resource)) requests[resource] ??= limit;
    }
  } else {
    // Only where every container has a limit do they limit the pod.
    const all = [...spec.containers, ...(spec.initContainers ?? [])];
    fill(
      limits,
      used,
      (resource) =>
        isComputed(resource) &&
        all.every((container) => container.resources?.limits?.[resource] !== undefined),
    );
  }
  const filled = { ...resources };
  if (Object.keys(limits).length > 0) filled.limits = limits;
  if (Object.keys(requests).length > 0) filled.requests = requests;
  spec.resources = filled;
}
