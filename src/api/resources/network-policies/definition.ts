// The NetworkPolicy resource. It has no status: upstream took it away again.

import type { NetworkPolicy } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { selectorOf } from '../../selectors.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { networkPolicyTypes } from './types.ts';
import { networkPolicyWarnings, validateNetworkPolicy, validateNetworkPolicyUpdate } from './validation.ts';

export const networkPolicies: ResourceDefinition<NetworkPolicy> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  categories: [],
  namespaced: true,
  schema: 'NetworkPolicy',
  types: [networkPolicyTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  countsGeneration: true,
  columns: [
    nameColumn(),
    column(
      'Pod-Selector',
      'The pods that the policy is about.',
      ({ spec }) => selectorOf(spec?.podSelector ?? {}).toString() || '<none>',
    ),
    ageColumn(),
  ],
  strategy: {
    validateCreate: validateNetworkPolicy,
    validateUpdate: validateNetworkPolicyUpdate,
    warnings: networkPolicyWarnings,
  },
};
