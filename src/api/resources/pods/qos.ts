// The quality-of-service class of a pod: what it asks for decides who is sacrificed first when memory runs out.
// Follows pkg/apis/core/v1/helper/qos/qos.go.

import type { PodSpec } from '../../generated/types.ts';
import { compareQuantities } from '../../quantity.ts';

const COUNTED = ['cpu', 'memory'] as const;

/** Guaranteed: every container has limits of cpu and memory, and requests the same. BestEffort: none asks for any. */
export function qosClass(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  let asked = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const resource of COUNTED) {
      const request = resources?.requests?.[resource] ?? '0';
      const limit = resources?.limits?.[resource] ?? '0';
      const limited = compareQuantities(limit, '0') > 0;
      if (limited || compareQuantities(request, '0') > 0) asked = true;
      if (!limited || compareQuantities(request, limit) !== 0) guaranteed = false;
    }
  }
  if (!asked) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
