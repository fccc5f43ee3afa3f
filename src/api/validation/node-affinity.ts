// Rules of node selectors and node affinity (pkg/apis/core/validation, ValidateNodeSelector, validateNodeAffinity).
import { type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type {
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '../generated/types.ts';
import { dns1123Subdomain, labelValue } from '../names.ts';
import { checked, labelName } from './field-rules.ts';

export function validateNodeSelector(selector: NodeSelector, path: string): FieldError[] {
  const terms = `${path}.nodeSelectorTerms`;
  if (selector.nodeSelectorTerms.length === 0) {
    return [required(terms, 'must have at least one node selector term')];
  }
  return selector.nodeSelectorTerms.flatMap((term, index) => validateTerm(term, true, `${terms}[${index}]`));
}

/** @param strict whether values must be such that a label can have them: a preference may ask in vain. */
function validateTerm(term: NodeSelectorTerm, strict: boolean, path: string): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
      validateExpression(requirement, strict, `${path}.matchExpressions[${index}]`),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, index) =>
      validateField(requirement, `${path}.matchFields[${index}]`),
    ),
  ];
}

function validateExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  strict: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(
          forbiddenField(
            `${path}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(
          required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        );
      }
      break;
    default:
      errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  errors.push(...labelName(key, `${path}.key`));
  if (strict) {
    for (const [index, value] of values.entries()) {
      errors.push(...checked(value, `${path}.values[${index}]`, labelValue));
    }
  }
  return errors;
}

/** A field can only be asked whether it is, or is not, one value; and the name is the only field there is. */
function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    errors.push(
      required(
        `${path}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    );
  }
  if (key !== 'metadata.name') {
    errors.push(invalidValue(`${path}.key`, key, 'not a valid field selector key'));
    return errors;
  }
  for (const [index, value] of values.entries()) {
    errors.push(...checked(value, `${path}.values[${index}]`, dns1123Subdomain));
  }
  return errors;
}

export function validateNodeAffinity(affinity: NodeAffinity, path: string): FieldError[] {
  const needed = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...(needed ? validateNodeSelector(needed, `${path}.requiredDuringSchedulingIgnoredDuringExecution`) : []),
    ...preferred.flatMap(({ weight, preference }, index) => {
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      return [
        ...validateWeight(weight, `${at}.weight`),
        ...validateTerm(preference, false, `${at}.preference`),
      ];
    }),
  ];
}

/** How much a preference counts for. */
export function validateWeight(weight: number, path: string): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(path, weight, 'must be in the range 1-100')];
}
