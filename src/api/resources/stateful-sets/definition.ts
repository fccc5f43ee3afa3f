// The StatefulSet resource. metadata.generation is the registry's; the rules of the spec stand in validation/.

import type { StatefulSet } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { selectorOf } from '../../selectors.ts';
import {
  ageColumn,
  column,
  containerImages,
  containerNames,
  nameColumn,
  wideColumn,
} from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { statefulSetTypes } from './types.ts';
import {
  statefulSetName,
  validateStatefulSet,
  validateStatefulSetStatusUpdate,
  validateStatefulSetUpdate,
} from './validation.ts';
import { statefulSetWarnings } from './warnings.ts';

export const statefulSets: ResourceDefinition<StatefulSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  schema: 'StatefulSet',
  types: [statefulSetTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
  scale: {
    specReplicas: (set) => set.spec.replicas ?? 1,
    setSpecReplicas(set, replicas) {
      set.spec = { ...set.spec, replicas };
    },
    statusReplicas: (set) => set.status?.replicas ?? 0,
    selector: (set) => selectorOf(set.spec.selector).toString(),
  },
  columns: [
    nameColumn(),
    column(
      'Ready',
      'Number of the pod with ready state',
      (set) => `${set.status?.readyReplicas ?? 0}/${set.spec.replicas ?? 1}`,
    ),
    ageColumn(),
    wideColumn('Containers', 'Names of each container in the template.', (set) =>
      containerNames(set.spec.template.spec?.containers),
    ),
    wideColumn('Images', 'Images referenced by each container in the template.', (set) =>
      containerImages(set.spec.template.spec?.containers),
    ),
  ],
  strategy: {
    ...statusStrategy<StatefulSet>(() => ({ replicas: 0, availableReplicas: 0 })),
    validateCreate: validateStatefulSet,
    warnings: statefulSetWarnings,
    validateUpdate: validateStatefulSetUpdate,
    validateStatusUpdate: validateStatefulSetStatusUpdate,
  },
  validateName: statefulSetName,
};
