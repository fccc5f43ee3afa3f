// The types of pod disruption budgets, as far as they are not shared: what the client's models do not say of them.
import { enumType, mergedBy, pointer, written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const podDisruptionBudgetTypes = generatedTypes('io.k8s.api.policy.v1', {
  Eviction: { numbers: 'metadata deleteOptions' },
  PodDisruptionBudget: { numbers: 'metadata spec status' },
  PodDisruptionBudgetSpec: {
    numbers: 'minAvailable selector maxUnavailable unhealthyPodEvictionPolicy',
    fields: {
      maxUnavailable: pointer,
      minAvailable: pointer,
      selector: { patch: 'replace' },
      unhealthyPodEvictionPolicy: {
        presence: 'pointer',
        enum: enumType('UnhealthyPodEvictionPolicyType', 'IfHealthyBudget', 'AlwaysAllow'),
      },
    },
  },
  PodDisruptionBudgetStatus: {
    numbers:
      'observedGeneration disruptedPods disruptionsAllowed currentHealthy desiredHealthy expectedPods conditions',
    fields: {
      conditions: mergedBy('type'),
      currentHealthy: written,
      desiredHealthy: written,
      disruptionsAllowed: written,
      expectedPods: written,
    },
  },
});
