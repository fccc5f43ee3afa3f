// The ResourceQuota resource.

import type { ResourceQuota } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { resourceQuotaTypes } from './types.ts';
import {
  validateResourceQuota,
  validateResourceQuotaStatusUpdate,
  validateResourceQuotaUpdate,
} from './validation.ts';

/** `cpu: 1/4, pods: 2/10`: used and hard, of the limits or of everything else. */
function usage(quota: ResourceQuota, limits: boolean): string {
  return Object.entries(quota.status?.hard ?? {})
    .filter(([resource]) => resource.startsWith('limits') === limits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, hard]) => `${resource}: ${quota.status?.used?.[resource] ?? '0'}/${hard}`)
    .join(', ');
}

export const resourceQuotas: ResourceDefinition<ResourceQuota> = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  categories: [],
  namespaced: true,
  schema: 'ResourceQuota',
  types: [resourceQuotaTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Request', 'Used and allowed, of what may be requested.', (quota) => usage(quota, false)),
    column('Limit', 'Used and allowed, of what may be limited.', (quota) => usage(quota, true)),
    ageColumn(),
  ],
  strategy: {
    ...statusStrategy<ResourceQuota>(() => ({})),
    validateCreate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
    validateStatusUpdate: validateResourceQuotaStatusUpdate,
  },
};
