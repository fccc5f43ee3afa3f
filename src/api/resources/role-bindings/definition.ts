// The RoleBinding resource of role-based access control. The role that it gives never changes.

import type { RoleBinding } from '../../generated/types.ts';
import { pathSegmentName } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { setBindingDefaults, validateRoleBinding, validateRoleBindingUpdate } from '../../validation/rbac.ts';
import { bindingColumns } from '../shared/role-binding-columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { roleBindingTypes } from './types.ts';

export const roleBindings: ResourceDefinition<RoleBinding> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'RoleBinding',
  types: [roleBindingTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: bindingColumns(),
  strategy: {
    prepareForCreate: setBindingDefaults,
    validateCreate: validateRoleBinding,
    prepareForUpdate: setBindingDefaults,
    validateUpdate: validateRoleBindingUpdate,
  },
  validateName: pathSegmentName,
};
