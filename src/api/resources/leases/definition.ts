// The Lease resource: node heartbeats and leader election.

import type { Lease } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { leaseTypes } from './types.ts';
import { validateLease } from './validation.ts';

export const leases: ResourceDefinition<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Lease',
  types: [leaseTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  needsVersionToUpdate: true,
  createsOnUpdate: true,
  columns: [
    nameColumn(),
    column('Holder', 'Who holds the lease.', (lease) => lease.spec.holderIdentity ?? ''),
    ageColumn(),
  ],
  strategy: { validateCreate: validateLease, validateUpdate: validateLease },
};
