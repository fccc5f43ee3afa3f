// The columns of RoleBinding and ClusterRoleBinding, which hold the same.

import type { ClusterRoleBinding, RoleBinding } from '../../generated/types.ts';
import type { Column } from '../../resource.ts';
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts';

/** The subjects of one kind; service accounts with their namespace. */
function subjects(binding: RoleBinding | ClusterRoleBinding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

export function bindingColumns<T extends RoleBinding | ClusterRoleBinding>(): readonly Column<T>[] {
  return [
    nameColumn(),
    column('Role', 'The role that is given.', (binding) => `${binding.roleRef.kind}/${binding.roleRef.name}`),
    ageColumn(),
    wideColumn('Users', 'Users in the binding', (binding) => subjects(binding, 'User')),
    wideColumn('Groups', 'Groups in the binding', (binding) => subjects(binding, 'Group')),
    wideColumn('ServiceAccounts', 'ServiceAccounts in the binding', (binding) =>
      subjects(binding, 'ServiceAccount'),
    ),
  ];
}
