// The PodDisruptionBudget resource.

import type { PodDisruptionBudget } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { podDisruptionBudgetTypes } from './types.ts';
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatusUpdate } from './validation.ts';

export const podDisruptionBudgets: ResourceDefinition<PodDisruptionBudget> = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  schema: 'PodDisruptionBudget',
  types: [podDisruptionBudgetTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
  needsVersionToUpdate: true,
  columns: [
    nameColumn(),
    column(
      'Min Available',
      'The minimum number of pods that must be available.',
      (budget) => `${budget.spec.minAvailable ?? 'N/A'}`,
    ),
    column(
      'Max Unavailable',
      'The maximum number of pods that may be unavailable.',
      (budget) => `${budget.spec.maxUnavailable ?? 'N/A'}`,
    ),
    column(
      'Allowed Disruptions',
      'Calculated number of pods that may be disrupted at this time.',
      (budget) => budget.status?.disruptionsAllowed ?? 0,
      'integer',
    ),
    ageColumn(),
  ],
  strategy: {
    ...statusStrategy<PodDisruptionBudget>(() => ({
      currentHealthy: 0,
      desiredHealthy: 0,
      disruptionsAllowed: 0,
      expectedPods: 0,
    })),
    validateCreate: validatePodDisruptionBudget,
    validateUpdate: validatePodDisruptionBudget,
    validateStatusUpdate: validatePodDisruptionBudgetStatusUpdate,
  },
};
