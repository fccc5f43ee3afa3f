// The Role resource of role-based access control.

import type { Role } from '../../generated/types.ts';
import { pathSegmentName } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { validateRole } from '../../validation/rbac.ts';
import { createdAtColumn, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { roleTypes } from './types.ts';

export const roles: ResourceDefinition<Role> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Role',
  types: [roleTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: [nameColumn(), createdAtColumn()],
  strategy: { validateCreate: validateRole, validateUpdate: validateRole },
  validateName: pathSegmentName,
};
