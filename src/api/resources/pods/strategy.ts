// What creating, updating and deleting mean for a Pod (pkg/registry/core/pod/strategy.go).

import type { Pod, PodCondition, PodStatus } from '../../generated/types.ts';
import { computeQosClass } from '../../pod-qos.ts';
import { isPodFinished } from '../../pod-state.ts';
import type { Strategy } from '../../resource.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { takeOverLabels } from './label-keys.ts';
import { validatePod } from './validation/pod.ts';
import { validatePodStatusUpdate } from './validation/status.ts';
import { validatePodUpdate } from './validation/update.ts';
import { podWarnings } from './validation/warnings.ts';

/** Says why nobody schedules the pod; its transition time is left out, as upstream leaves it. */
const GATED: PodCondition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

/**
 * Whoever writes a status without saying which generation it is of has not found it in another one: those that were
 * said stay (upstream's preserveOldObservedGeneration).
 */
function withObservedGenerations(status: PodStatus, old: PodStatus): PodStatus {
  const said = new Map(old.conditions?.map(({ type, observedGeneration }) => [type, observedGeneration]));
  const kept = { ...status };
  if (!status.observedGeneration && old.observedGeneration) kept.observedGeneration = old.observedGeneration;
  if (status.conditions) {
    kept.conditions = status.conditions.map((condition) => {
      const observedGeneration = condition.observedGeneration || said.get(condition.type);
      return observedGeneration ? { ...condition, observedGeneration } : condition;
    });
  }
  return kept;
}

export const podStrategy: Strategy<Pod> = {
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: computeQosClass(pod) };
    takeOverLabels(pod);
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [GATED];
  },
  validateCreate: validatePod,
  warnings: (pod, old) => (old ? [] : podWarnings(pod)),
  prepareForUpdate: keepStatus,
  validateUpdate: validatePodUpdate,
  prepareForStatusUpdate(pod, old) {
    pod.spec = old.spec;
    // A node agent writes only status; owners that it read earlier must not come back.
    if (old.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences;
    else pod.metadata.ownerReferences = old.metadata.ownerReferences;
    if (pod.status && !pod.status.qosClass && old.status?.qosClass) {
      pod.status = { ...pod.status, qosClass: old.status.qosClass };
    }
    if (pod.status && old.status) pod.status = withObservedGenerations(pod.status, old.status);
  },
  validateStatusUpdate: validatePodStatusUpdate,
  gracePeriodSeconds(pod) {
    // No node has anything to finish.
    if (!pod.spec.nodeName || isPodFinished(pod)) return undefined;
    const seconds = pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};
