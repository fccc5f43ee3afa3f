// The CSINode resource.

import type { CSINode } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { csiNodeTypes } from './types.ts';
import { validateCsiNode, validateCsiNodeUpdate } from './validation.ts';

export const csiNodes: ResourceDefinition<CSINode> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'CSINode',
  types: [csiNodeTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  returnsDeleted: true,
  needsVersionToUpdate: true,
  columns: [
    nameColumn(),
    column('Drivers', 'How many drivers the node has.', (node) => node.spec.drivers.length, 'integer'),
    ageColumn(),
  ],
  strategy: { validateCreate: validateCsiNode, validateUpdate: validateCsiNodeUpdate },
};
