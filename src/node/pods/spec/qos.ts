// Quality of service: which class a pod belongs to, which cgroup that puts it in, and the out-of-memory score of
// its containers (component-helpers resource qos, kubelet qos/policy.go). Pure.

import type { Container, Pod } from '../../../api/generated/types.ts';
import { quantityToNumber } from '../../../api/quantity.ts';
import { allContainers } from '../decide/view.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COMPUTE = ['cpu', 'memory'] as const;

/** The class by requests and limits of cpu and memory over all containers. */
export function qosClassOf(pod: Pod): QosClass {
  let any = false;
  let guaranteed = true;
  for (const container of allContainers(pod)) {
    for (const resource of COMPUTE) {
      const limit = amount(container.resources?.limits?.[resource]);
      const request = amount(
        container.resources?.requests?.[resource] ?? container.resources?.limits?.[resource],
      );
      if (limit > 0 || request > 0) any = true;
      if (limit === 0 || limit !== request) guaranteed = false;
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable';
}

function amount(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityToNumber(quantity);
}

/** `<qos>/pod<uid>`, below the cgroup in which the runtime keeps all pods. */
export function cgroupParentOf(pod: Pod): string {
  return `${qosClassOf(pod).toLowerCase()}/pod${pod.metadata.uid}`;
}

/**
 * oom_score_adj of a container. Upstream gives Guaranteed -997; a negative score needs a capability that not every
 * machine's root has, so it is 0 here, which still comes before every other class.
 */
export function oomScoreAdjOf(pod: Pod, container: Container, machineMemoryBytes: number): number {
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return 0;
  if (qos === 'BestEffort') return 1000;
  const request = amount(container.resources?.requests?.memory ?? container.resources?.limits?.memory);
  const score = Math.floor(1000 - (1000 * request) / machineMemoryBytes);
  return Math.min(999, Math.max(3, score));
}
