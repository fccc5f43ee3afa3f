// Rules of what says where a pod may run: affinity, tolerations, topology spread (pkg/apis/core/validation,
// validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import type {
  Affinity,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/types.ts';
import { dns1123Label, labelValue } from '../names.ts';
import { validateLabelSelector } from '../selectors.ts';
import { checked, labelName, oneOf, optionalOneOf } from './field-rules.ts';
import { validateNodeAffinity, validateWeight } from './node-affinity.ts';

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
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => checked(name, `${path}.namespace`, dns1123Label)),
    ...validateTopologyKey(term.topologyKey, `${path}.topologyKey`),
  ];
}

function validateTopologyKey(key: string, path: string): FieldError[] {
  return key ? labelName(key, path) : [required(path, 'can not be empty')];
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
  if (operator === '' || operator === 'Equal') {
    const reasons = labelValue(value);
    if (reasons.length > 0) errors.push(invalidValue(`${path}.operator`, value, reasons.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') {
      errors.push(
        invalidValue(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"),
      );
    }
  } else {
    errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  return [
    ...errors,
    ...optionalOneOf(effect, `${path}.effect`, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  ];
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const pair = `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`;
    const errors = validateConstraint(constraint, at);
    if (seen.has(pair)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    return errors;
  });
}

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { maxSkew, minDomains, whenUnsatisfiable } = constraint;
  const errors: FieldError[] = [];
  if (maxSkew <= 0) errors.push(invalidValue(`${path}.maxSkew`, maxSkew, 'must be greater than zero'));
  errors.push(
    ...validateTopologyKey(constraint.topologyKey, `${path}.topologyKey`),
    ...oneOf(whenUnsatisfiable, `${path}.whenUnsatisfiable`, ['DoNotSchedule', 'ScheduleAnyway']),
  );
  if (minDomains !== undefined) {
    if (minDomains <= 0) {
      errors.push(invalidValue(`${path}.minDomains`, minDomains, 'must be greater than zero'));
    }
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const reason = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalidValue(`${path}.minDomains`, minDomains, reason));
    }
  }
  return [
    ...errors,
    ...optionalOneOf(constraint.nodeAffinityPolicy, `${path}.nodeAffinityPolicy`, ['Honor', 'Ignore']),
    ...optionalOneOf(constraint.nodeTaintsPolicy, `${path}.nodeTaintsPolicy`, ['Honor', 'Ignore']),
    ...validateLabelSelector(constraint.labelSelector, `${path}.labelSelector`),
  ];
}
