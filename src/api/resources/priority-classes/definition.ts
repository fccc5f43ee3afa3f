// The PriorityClass resource.

import type { PriorityClass } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { priorityClassTypes } from './types.ts';
import { validatePriorityClass, validatePriorityClassUpdate } from './validation.ts';

export const priorityClasses: ResourceDefinition<PriorityClass> = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  schema: 'PriorityClass',
  types: [priorityClassTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  countsGeneration: true,
  columns: [
    nameColumn(),
    column('Value', 'The priority; higher goes first.', (object) => object.value ?? 0, 'integer'),
    column(
      'Global-Default',
      'Whether pods that name no class get this one.',
      (object) => object.globalDefault ?? false,
      'boolean',
    ),
    ageColumn(),
    column(
      'PreemptionPolicy',
      'Whether its pods may push out others.',
      (object) => object.preemptionPolicy ?? '',
    ),
  ],
  strategy: { validateCreate: validatePriorityClass, validateUpdate: validatePriorityClassUpdate },
};
