// What may stand in roles and their bindings (pkg/apis/rbac/validation).
import { type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
} from '../generated/types.ts';
import { dns1123Subdomain, pathSegmentName } from '../names.ts';
import { validateLabelSelector } from '../selectors.ts';
import { semanticallyEqual } from './equality.ts';
import { checked } from './field-rules.ts';

type Binding = RoleBinding | ClusterRoleBinding;
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const NO_BOTH = 'rules cannot apply to both regular resources and non-resource URLs';
const SUBJECTS: readonly string[] = ['ServiceAccount', 'User', 'Group'];

export function validateRole({ rules }: Role): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, true));
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors = (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, false));
  if (!aggregationRule) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  for (const [index, selector] of selectors.entries()) {
    errors.push(...validateLabelSelector(selector, `${path}[${index}]`));
  }
  return errors;
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

export function validateRoleBinding(binding: RoleBinding): FieldError[] {
  return validateBinding(binding, ['Role', 'ClusterRole'], true);
}

export function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  return validateBinding(binding, ['ClusterRole'], false);
}

/** @param roles the kinds of role that it may give. */
function validateBinding(binding: Binding, roles: readonly string[], namespaced: boolean): FieldError[] {
  const { apiGroup, kind, name } = binding.roleRef;
  const errors: FieldError[] = [];
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  if (!roles.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roles));
  errors.push(...(name ? checked(name, 'roleRef.name', pathSegmentName) : [required('roleRef.name')]));
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, namespaced, `subjects[${index}]`));
  }
  return errors;
}

function validateSubject(subject: RbacV1Subject, namespaced: boolean, path: string): FieldError[] {
  const { kind, name, namespace, apiGroup = '' } = subject;
  const errors = name ? [] : [required(`${path}.name`)];
  if (kind === 'ServiceAccount') {
    if (name) errors.push(...checked(name, `${path}.name`, dns1123Subdomain));
    if (apiGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (!namespaced && !namespace) errors.push(required(`${path}.namespace`));
  } else if (SUBJECTS.includes(kind)) {
    if (!name) errors.push(invalidValue(`${path}.name`, name, `${kind.toLowerCase()} name cannot be empty`));
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]));
  } else errors.push(notSupported(`${path}.kind`, kind, SUBJECTS));
  return errors;
}

/** The role that a binding gives never changes. */
function validateRoleRef(binding: Binding, old: Binding): FieldError[] {
  if (semanticallyEqual(binding.roleRef, old.roleRef)) return [];
  return [invalidValue('roleRef', binding.roleRef, 'cannot change roleRef')];
}

export function validateRoleBindingUpdate(binding: RoleBinding, old: RoleBinding): FieldError[] {
  return [...validateRoleBinding(binding), ...validateRoleRef(binding, old)];
}

export function validateClusterRoleBindingUpdate(
  binding: ClusterRoleBinding,
  old: ClusterRoleBinding,
): FieldError[] {
  return [...validateClusterRoleBinding(binding), ...validateRoleRef(binding, old)];
}
