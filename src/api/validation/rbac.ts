// What may stand in a RoleBinding or ClusterRoleBinding (pkg/apis/rbac/validation).
import { type FieldError, invalidValue } from '../errors.ts';
import type { ClusterRoleBinding, RbacV1Subject, RoleBinding } from '../generated/types.ts';
import { semanticallyEqual } from './equality.ts';
import { oneOf, requiredText } from './field-rules.ts';

type Binding = RoleBinding | ClusterRoleBinding;
const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function validateBinding(binding: Binding): FieldError[] {
  return [
    ...oneOf(binding.roleRef.apiGroup, 'roleRef.apiGroup', [RBAC_GROUP]),
    ...oneOf(binding.roleRef.kind, 'roleRef.kind', ['ClusterRole', 'Role']),
    ...requiredText(binding.roleRef.name, 'roleRef.name'),
    ...(binding.subjects ?? []).flatMap((subject, index) => validateSubject(subject, `subjects[${index}]`)),
  ];
}

function validateSubject(subject: RbacV1Subject, path: string): FieldError[] {
  const account = subject.kind === 'ServiceAccount';
  return [
    ...requiredText(subject.name, `${path}.name`),
    ...oneOf(subject.kind, `${path}.kind`, ['Group', 'ServiceAccount', 'User']),
    ...(account ? requiredText(subject.namespace, `${path}.namespace`) : []),
  ];
}

export function validateBindingUpdate(binding: Binding, old: Binding): FieldError[] {
  const errors = validateBinding(binding);
  if (!semanticallyEqual(binding.roleRef, old.roleRef)) {
    errors.push(invalidValue('roleRef', binding.roleRef, 'cannot change roleRef'));
  }
  return errors;
}
