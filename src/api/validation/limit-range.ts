// What may stand in a LimitRange (pkg/apis/core/validation, ValidateLimitRange): each type once, and bounds that do
// not contradict each other.
import { duplicate, type FieldError, forbiddenField, invalidValue } from '../errors.ts';
import type { LimitRange, LimitRangeItem } from '../generated/types.ts';
import { compareQuantities } from '../quantity.ts';
import { requiredText } from './field-rules.ts';

type Amounts = Record<string, string>;

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return (spec.limits ?? []).flatMap((item, index) => {
    const path = `spec.limits[${index}]`;
    const repeated = seen.has(item.type) ? [duplicate(`${path}.type`, item.type)] : [];
    seen.add(item.type);
    return [...requiredText(item.type, `${path}.type`), ...repeated, ...validateItem(item, path)];
  });
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const { type, min = {}, max = {}, default: limits = {}, defaultRequest: requests = {} } = item;
  const errors: FieldError[] = [];
  if (type === 'Pod') {
    const why = "may not be specified when `type` is 'Pod'";
    if (Object.keys(limits).length > 0) errors.push(forbiddenField(`${path}.default`, why));
    if (Object.keys(requests).length > 0) errors.push(forbiddenField(`${path}.defaultRequest`, why));
  }
  errors.push(
    ...ordered(min, max, `${path}.min`, (a, b) => `min value ${a} is greater than max value ${b}`),
    ...ordered(
      min,
      requests,
      `${path}.defaultRequest`,
      (a, b) => `min value ${a} is greater than default request value ${b}`,
    ),
    ...ordered(
      requests,
      max,
      `${path}.defaultRequest`,
      (a, b) => `default request value ${a} is greater than max value ${b}`,
    ),
    ...ordered(
      requests,
      limits,
      `${path}.defaultRequest`,
      (a, b) => `default request value ${a} is greater than default limit value ${b}`,
    ),
    ...ordered(min, limits, `${path}.default`, (a, b) => `min value ${a} is greater than default value ${b}`),
    ...ordered(limits, max, `${path}.default`, (a, b) => `default value ${a} is greater than max value ${b}`),
  );
  return errors;
}

/** An error for each resource of which `low` names more than `high`. */
function ordered(
  low: Amounts,
  high: Amounts,
  path: string,
  why: (low: string, high: string) => string,
): FieldError[] {
  return Object.entries(low).flatMap(([name, least]) => {
    const most = high[name];
    if (most === undefined || compareQuantities(least, most) <= 0) return [];
    return [invalidValue(`${path}[${name}]`, least, why(least, most))];
  });
}
