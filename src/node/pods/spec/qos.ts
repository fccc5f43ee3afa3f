// What the class of service of a pod means on the machine: which cgroup it is in, and the out-of-memory score of its
// containers (kubelet qos/policy.go). Pure; the class itself is api/pod-qos.ts.

import type { Container, Pod } from '../../../api/generated/types.ts';
import { qosClassOf } from '../../../api/pod-qos.ts';
import { quantityToNumber } from '../../../api/quantity.ts';

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
  const { requests, limits } = container.resources ?? {};
  const request = quantityToNumber(requests?.memory ?? limits?.memory ?? '0');
  const score = Math.floor(1000 - (1000 * request) / machineMemoryBytes);
  return Math.min(999, Math.max(3, score));
}
