// The ClusterRole resource of role-based access control.

import type { ClusterRole } from '../../generated/types.ts';
import { pathSegmentName } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { validateClusterRole } from '../../validation/rbac.ts';
import { createdAtColumn, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { clusterRoleTypes } from './types.ts';

export const clusterRoles: ResourceDefinition<ClusterRole> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'ClusterRole',
  types: [clusterRoleTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: [nameColumn(), createdAtColumn()],
  strategy: { validateCreate: validateClusterRole, validateUpdate: validateClusterRole },
  validateName: pathSegmentName,
};
