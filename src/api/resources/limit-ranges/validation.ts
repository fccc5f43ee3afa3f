// What may stand in a LimitRange (pkg/apis/core/validation, ValidateLimitRange): each type once, known resources, and
// bounds that do not contradict each other.
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '../../errors.ts';
import type { LimitRange, LimitRangeItem } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import { canonicalQuantity, compareQuantities, parseQuantity } from '../../quantity.ts';
import { checked } from '../../validation/field-rules.ts';
import { containerResourceName, isOvercommitAllowed, resourceName } from '../../validation/resource-names.ts';

const TYPES: readonly string[] = ['Pod', 'Container', 'PersistentVolumeClaim'];
const BOUNDS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type Amounts = Readonly<Record<string, string>>;

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return (spec.limits ?? []).flatMap((item, index) => {
    const path = `spec.limits[${index}]`;
    const errors = validateType(item.type, `${path}.type`);
    if (seen.has(item.type)) errors.push(duplicate(`${path}.type`, item.type));
    seen.add(item.type);
    return [...errors, ...validateItem(item, path)];
  });
}

function validateType(type: string, path: string): FieldError[] {
  const errors = checked(type, path, qualifiedName);
  if (errors.length > 0 || type.includes('/') || TYPES.includes(type)) return errors;
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const isPod = item.type === 'Pod';
  const checkName = isPod || item.type === 'Container' ? containerResourceName : resourceName;
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const bound of BOUNDS) {
    const amounts = item[bound] ?? {};
    if (isPod && (bound === 'default' || bound === 'defaultRequest')) {
      if (Object.keys(amounts).length === 0) continue;
      errors.push(forbiddenField(`${path}.${bound}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const name of Object.keys(amounts)) {
      errors.push(...checkName(name, `${path}.${bound}[${name}]`));
      names.add(name);
    }
  }
  const { min = {}, max = {} } = item;
  if (item.type === 'PersistentVolumeClaim' && min.storage === undefined && max.storage === undefined) {
    const why = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${path}.limits`, why));
  }
  const bounds = isPod ? { ...item, default: {}, defaultRequest: {} } : item;
  for (const name of names) errors.push(...validateResource(bounds, name, path));
  return errors;
}

function validateResource(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const min = amount(item.min, name);
  const max = amount(item.max, name);
  const limit = amount(item.default, name);
  const request = amount(item.defaultRequest, name);
  const ratio = amount(item.maxLimitRequestRatio, name);
  const errors: FieldError[] = [];
  const refuse = (field: string, value: string | undefined, why: string): void => {
    errors.push(invalidValue(`${path}.${field}[${name}]`, value, why));
  };
  if (above(min, max)) refuse('min', min, `min value ${min} is greater than max value ${max}`);
  if (above(min, request)) {
    refuse('defaultRequest', request, `min value ${min} is greater than default request value ${request}`);
  }
  if (above(request, max)) {
    refuse('defaultRequest', request, `default request value ${request} is greater than max value ${max}`);
  }
  if (above(request, limit)) {
    const why = `default request value ${request} is greater than default limit value ${limit}`;
    refuse('defaultRequest', request, why);
  }
  if (above(min, limit)) refuse('default', min, `min value ${min} is greater than default value ${limit}`);
  if (above(limit, max)) refuse('default', max, `default value ${limit} is greater than max value ${max}`);
  if (above('1', ratio)) refuse('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  const most = greatestRatio(min, max);
  if (ratio !== undefined && most !== undefined && numberOf(ratio) / 1e9 > most) {
    refuse('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
  }
  const differ = limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0;
  if (differ && !isOvercommitAllowed(name)) {
    const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    refuse('defaultRequest', request, why);
  }
  return errors;
}

/** The amount as it is shown; one that is none has been told by its type already. */
function amount(amounts: Amounts | undefined, name: string): string | undefined {
  const text = amounts?.[name];
  return text !== undefined && parseQuantity(text) !== undefined ? canonicalQuantity(text) : undefined;
}

function above(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
}

const numberOf = (text: string): number => Number(parseQuantity(text) ?? 0n);

function greatestRatio(min: string | undefined, max: string | undefined): number | undefined {
  if (min === undefined || max === undefined || numberOf(min) === 0) return undefined;
  return numberOf(max) / numberOf(min);
}
