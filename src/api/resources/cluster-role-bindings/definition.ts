// The ClusterRoleBinding resource of role-based access control. The role that it gives never changes.

import type { ClusterRoleBinding } from '../../generated/types.ts';
import { pathSegmentName } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import {
  setBindingDefaults,
  validateClusterRoleBinding,
  validateClusterRoleBindingUpdate,
} from '../../validation/rbac.ts';
import { bindingColumns } from '../shared/role-binding-columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { clusterRoleBindingTypes } from './types.ts';

export const clusterRoleBindings: ResourceDefinition<ClusterRoleBinding> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'ClusterRoleBinding',
  types: [clusterRoleBindingTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: bindingColumns(),
  strategy: {
    prepareForCreate: setBindingDefaults,
    validateCreate: validateClusterRoleBinding,
    prepareForUpdate: setBindingDefaults,
    validateUpdate: validateClusterRoleBindingUpdate,
  },
  validateName: pathSegmentName,
};
