// The ServiceCIDR resource: ranges that Services are given their addresses from.

import type { ServiceCIDR } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { serviceCidrTypes } from './types.ts';
import { validateServiceCidr, validateServiceCidrUpdate } from './validation.ts';

export const serviceCidrs: ResourceDefinition<ServiceCIDR> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'ServiceCIDR',
  types: [serviceCidrTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  columns: [
    nameColumn(),
    column('CIDRs', 'The ranges of addresses.', ({ spec }) => (spec?.cidrs ?? []).join(',')),
    ageColumn(),
  ],
  strategy: {
    ...statusStrategy<ServiceCIDR>(() => ({})),
    validateCreate: validateServiceCidr,
    validateUpdate: validateServiceCidrUpdate,
  },
};
