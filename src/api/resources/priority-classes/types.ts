// The types of priority classes, as far as they are not shared: what the client's models do not say of them.
import { written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { preemptionPolicy } from '../shared/types/enums.ts';

export const priorityClassTypes = generatedTypes('io.k8s.api.scheduling.v1', {
  PriorityClass: {
    numbers: 'metadata value globalDefault description preemptionPolicy',
    fields: {
      preemptionPolicy: { presence: 'pointer', default: 'PreemptLowerPriority', enum: preemptionPolicy },
      value: written,
    },
  },
});
