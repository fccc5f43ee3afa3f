// What may stand in roles and their bindings (pkg/apis/rbac/validation).
import { type FieldError, invalidValue, required } from '../errors.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
} from '../generated/types.ts';
import { semanticallyEqual } from './equality.ts';
import { oneOf, requiredText } from './field-rules.ts';

type Binding = RoleBinding | ClusterRoleBinding;
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const NO_BOTH = 'rules cannot apply to both regular resources and non-resource URLs';

export function validateRole({ rules }: Role): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, true));
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const none = aggregationRule && (aggregationRule.clusterRoleSelectors ?? []).length === 0;
  return [
    ...(rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, false)),
    ...(none
      ? [
          required(
            'aggregationRule.clusterRoleSelectors',
            'at least one clusterRoleSelector required if aggregationRule is non-nil',
          ),
        ]
      : []),
  ];
}

function validateRule(rule: PolicyRule, path: string, namespaced: boolean): FieldError[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors =
    verbs.length === 0 ? [required(`${path}.verbs`, 'verbs must contain at least one value')] : [];
  if (nonResourceURLs.length > 0) {
    const urls = `${path}.nonResourceURLs`;
    if (namespaced) {
      errors.push(invalidValue(urls, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    }
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(invalidValue(urls, nonResourceURLs, NO_BOTH));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

/** What a binding means where it says nothing of groups (pkg/apis/rbac/v1/defaults.go). */
export function setBindingDefaults({ roleRef, subjects }: Binding): void {
  if (!roleRef.apiGroup) roleRef.apiGroup = RBAC_GROUP;
  for (const subject of subjects ?? []) {
    if (!subject.apiGroup && subject.kind !== 'ServiceAccount') subject.apiGroup = RBAC_GROUP;
  }
}

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
