// The ConfigMap resource.

import type { ConfigMap } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { configMapTypes } from './types.ts';
import { validateConfigMap, validateConfigMapUpdate } from './validation.ts';

export const configMaps: ResourceDefinition<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  schema: 'ConfigMap',
  types: [configMapTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [
    nameColumn(),
    column(
      'Data',
      'How many entries the map has.',
      (map) => `${Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length}`,
    ),
    ageColumn(),
  ],
  strategy: { validateCreate: validateConfigMap, validateUpdate: validateConfigMapUpdate },
};
