// The ServiceAccount resource, and its token subresource.

import type { ServiceAccount } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { tokenRequestTypes } from './token-request-types.ts';
import { serviceAccountTypes } from './types.ts';

export const serviceAccounts: ResourceDefinition<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  schema: 'ServiceAccount',
  types: [serviceAccountTypes, tokenRequestTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  actions: {
    token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  },
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Secrets', 'How many secrets its pods may use.', (account) => `${account.secrets?.length ?? 0}`),
    ageColumn(),
  ],
  strategy: {},
};
