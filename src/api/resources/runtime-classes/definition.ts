// The RuntimeClass resource.

import type { RuntimeClass } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { runtimeClassTypes } from './types.ts';
import { validateRuntimeClass, validateRuntimeClassUpdate } from './validation.ts';

export const runtimeClasses: ResourceDefinition<RuntimeClass> = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'RuntimeClass',
  types: [runtimeClassTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [
    nameColumn(),
    column('Handler', "What the node's runtime knows it by.", (object) => object.handler),
    ageColumn(),
  ],
  strategy: { validateCreate: validateRuntimeClass, validateUpdate: validateRuntimeClassUpdate },
};
