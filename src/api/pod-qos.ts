// The quality-of-service class of a pod: what it asks for decides who is sacrificed first when memory runs out. The one
// definition, for the status, quotas and the node. Follows pkg/apis/core/v1/helper/qos/qos.go.
import type { Pod, ResourceRequirements } from './generated/types.ts';
import { type Amounts, addTo, amountsOf } from './pod-resources.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COMPUTE: readonly string[] = ['cpu', 'memory'];

/** The class of a pod as its status says it, and as its spec says it as long as the status does not (GetPodQOS). */
export function qosClassOf(pod: Pod): QosClass {
  const said = pod.status?.qosClass;
  return said === 'Guaranteed' || said === 'Burstable' || said === 'BestEffort' ? said : computeQosClass(pod);
}

/**
 * Guaranteed: there are limits of cpu and memory everywhere, and the requests are the same. BestEffort: nothing is
 * asked for. Resources of the pod itself stand for those of its containers (ComputePodQOS).
 */
export function computeQosClass({ spec }: Pod): QosClass {
  const asking: ResourceRequirements[] = spec.resources
    ? [spec.resources]
    : [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources = {} }) => resources);
  const requests: Amounts = new Map();
  const limits: Amounts = new Map();
  let limited = true;
  for (const resources of asking) {
    const limit = computeAmounts(resources.limits);
    if (limit.size < COMPUTE.length) limited = false;
    addTo(limits, limit);
    addTo(requests, computeAmounts(resources.requests));
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const same =
    requests.size === limits.size && [...requests].every(([name, sum]) => limits.get(name) === sum);
  return limited && same ? 'Guaranteed' : 'Burstable';
}

/** What is asked for of cpu and memory; to ask for none is not to ask. */
function computeAmounts(list: Record<string, string> | undefined): Amounts {
  return new Map([...amountsOf(list)].filter(([name, sum]) => COMPUTE.includes(name) && sum > 0n));
}
