// Rules of what says where a pod may run: affinity, tolerations, topology spread (pkg/apis/core/validation,
// validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../../errors.ts';
import type {
  Affinity,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../../../generated/types.ts';
import { dns1123Label, labelValue } from '../../../names.ts';
import { validateLabelSelector } from '../../../selectors.ts';
import { checked, labelName, NOT_POSITIVE, optionalOneOf } from '../../../validation/field-rules.ts';
import { validateSpreadLabelKeys, validateTermLabelKeys } from '../../../validation/label-keys.ts';
import { validateNodeAffinity, validateWeight } from '../../../validation/node-affinity.ts';

const OPERATORS: readonly string[] = ['Equal', 'Exists', 'Lt', 'Gt'];
const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const SPREAD_ACTIONS: readonly string[] = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION_POLICIES: readonly string[] = ['Honor', 'Ignore'];
const INTEGER = /^-?(0|[1-9]\d{0,18})$/;

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  return [
    ...(nodeAffinity ? validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`) : []),
    ...(podAffinity ? validatePodAffinity(podAffinity, `${path}.podAffinity`) : []),
    ...(podAntiAffinity ? validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`) : []),
  ];
}

/** The same rules hold for both: what to be near, and what to be far from. */
function validatePodAffinity(affinity: PodAffinity, path: string): FieldError[] {
  const needed = affinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...needed.flatMap((term, index) =>
      validateTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
    ),
    ...preferred.flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      return [
        ...validateWeight(weight, `${at}.weight`),
        ...validateTerm(podAffinityTerm, `${at}.podAffinityTerm`),
      ];
    }),
  ];
}

function validateTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ];
  for (const name of term.namespaces ?? []) errors.push(...checked(name, `${path}.namespace`, dns1123Label));
  errors.push(...validateTermLabelKeys(term, path));
  const at = `${path}.topologyKey`;
  if (!term.topologyKey) errors.push(required(at, 'can not be empty'));
  errors.push(...labelName(term.topologyKey, at));
  return errors;
}

export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => validateToleration(toleration, `${path}[${index}]`));
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key, operator = '', value = '', effect, tolerationSeconds } = toleration;
  const errors = key ? labelName(key, `${path}.key`) : [];
  if (!key && operator !== 'Exists') {
    const reason = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalidValue(`${path}.operator`, operator, reason));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const reason = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalidValue(`${path}.effect`, effect ?? '', reason));
  }
  switch (operator) {
    case '':
    case 'Equal': {
      const reasons = labelValue(value);
      if (reasons.length > 0) errors.push(invalidValue(`${path}.operator`, value, reasons.join(';')));
      break;
    }
    case 'Exists':
      if (value === '') break;
      errors.push(invalidValue(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      break;
    case 'Lt':
    case 'Gt':
      if (!INTEGER.test(value)) {
        const reason = 'value must be a valid integer for numeric operators';
        errors.push(invalidValue(`${path}.value`, value, reason));
      }
      break;
    default:
      errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  }
  errors.push(...optionalOneOf(effect, `${path}.effect`, EFFECTS));
  return errors;
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  const idOf = (it: TopologySpreadConstraint): string =>
    JSON.stringify([it.topologyKey, it.whenUnsatisfiable]);
  const last = new Map(constraints.map((constraint, index) => [idOf(constraint), index]));
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const again = (last.get(idOf(constraint)) ?? index) > index;
    return validateConstraint(constraint, again, at);
  });
}

/** @param again whether a later constraint is about the same. */
function validateConstraint(
  constraint: TopologySpreadConstraint,
  again: boolean,
  path: string,
): FieldError[] {
  const { maxSkew, minDomains, topologyKey, whenUnsatisfiable, labelSelector } = constraint;
  const errors: FieldError[] = [];
  if (maxSkew <= 0) errors.push(invalidValue(`${path}.maxSkew`, maxSkew, NOT_POSITIVE));
  if (!topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  if (!SPREAD_ACTIONS.includes(whenUnsatisfiable)) {
    errors.push(notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, SPREAD_ACTIONS));
  }
  if (again) {
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    errors.push(duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, pair));
  }
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.push(invalidValue(`${path}.minDomains`, minDomains, NOT_POSITIVE));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const reason = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalidValue(`${path}.minDomains`, minDomains, reason));
    }
  }
  errors.push(
    ...optionalOneOf(constraint.nodeAffinityPolicy, `${path}.nodeAffinityPolicy`, INCLUSION_POLICIES),
    ...optionalOneOf(constraint.nodeTaintsPolicy, `${path}.nodeTaintsPolicy`, INCLUSION_POLICIES),
    ...validateSpreadLabelKeys(constraint, path),
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
  );
  return errors;
}
