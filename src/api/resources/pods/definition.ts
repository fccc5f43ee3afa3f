// The Pod resource: names, fields to select by, subresources. Columns and strategy stand beside it.

import type { Pod } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { podDisruptionBudgetTypes } from '../pod-disruption-budgets/types.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { podColumns, podRowConditions } from './columns.ts';
import { ephemeralContainersPart, resizePart } from './parts.ts';
import { podStrategy } from './strategy.ts';
import { podTypes } from './types.ts';

export const pods: ResourceDefinition<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  schema: 'Pod',
  types: [podTypes, podDisruptionBudgetTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
  parts: { ephemeralcontainers: ephemeralContainersPart, resize: resizePart },
  actions: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    binding: { kind: 'Binding', verbs: ['create'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    log: { kind: 'Pod', verbs: ['get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  },
  selectableFields: {
    'spec.hostNetwork': (pod) => `${pod.spec.hostNetwork ?? false}`,
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
  },
  returnsDeleted: true,
  columns: podColumns,
  rowConditions: podRowConditions,
  strategy: podStrategy,
};
