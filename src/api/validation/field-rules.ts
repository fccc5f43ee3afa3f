// Checks of single fields that many kinds share, in upstream's words (apimachinery pkg/api/validation, pkg/util/
// validation). Each gives the errors of one field; what a field means, the kind's own file knows.
import { type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import { dns1123Label, dns1123Subdomain, patternMessage, portName, qualifiedName } from '../names.ts';
import { parseQuantity, QUANTITY_ERROR } from '../quantity.ts';
import { semanticallyEqual } from './equality.ts';

export const IMMUTABLE = 'field is immutable';
export const NOT_NEGATIVE = 'must be greater than or equal to 0';
export const NOT_POSITIVE = 'must be greater than zero';
const PORT_RANGE = 'must be between 1 and 65535, inclusive';
const CONFIG_KEY_PATTERN = '[-._a-zA-Z0-9]+';
const configKeyPattern = new RegExp(`^${CONFIG_KEY_PATTERN}$`);
const MAX_CONFIG_KEY = 253;

/** One error for each reason that `check` has against the value. */
export function checked(value: string, path: string, check: (value: string) => string[]): FieldError[] {
  const reasons = check(value);
  return reasons.length === 0 ? [] : reasons.map((reason) => invalidValue(path, value, reason));
}

export function immutable(value: unknown, old: unknown, path: string): FieldError[] {
  return semanticallyEqual(value, old) ? [] : [invalidValue(path, value, IMMUTABLE)];
}

export function nonNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [invalidValue(path, value, NOT_NEGATIVE)] : [];
}

export function requiredText(value: string | undefined, path: string): FieldError[] {
  return value ? [] : [required(path)];
}

/** Must be set, and one of the given values (named in this order in the error). */
export function oneOf(value: string | undefined, path: string, supported: readonly string[]): FieldError[] {
  return value ? optionalOneOf(value, path, supported) : [required(path)];
}

/** If set, one of the given values. */
export function optionalOneOf(
  value: string | undefined,
  path: string,
  supported: readonly string[],
): FieldError[] {
  return value && !supported.includes(value) ? [notSupported(path, value, supported)] : [];
}

/** If set, a DNS label. */
export function optionalLabel(value: string | undefined, path: string): FieldError[] {
  return value ? checked(value, path, dns1123Label) : [];
}

/** Must be set, and a DNS label. */
export function requiredLabel(value: string | undefined, path: string): FieldError[] {
  return value ? checked(value, path, dns1123Label) : [required(path)];
}

/** Must be set, and a DNS subdomain. */
export function requiredSubdomain(value: string | undefined, path: string): FieldError[] {
  return value ? checked(value, path, dns1123Subdomain) : [required(path)];
}

/** If set, a DNS subdomain. */
export function optionalSubdomain(value: string | undefined, path: string): FieldError[] {
  return value ? checked(value, path, dns1123Subdomain) : [];
}

export function labelName(value: string, path: string): FieldError[] {
  return checked(value, path, qualifiedName);
}

export function portNumber(value: number, path: string): FieldError[] {
  return value >= 1 && value <= 65535 ? [] : [invalidValue(path, value, PORT_RANGE)];
}

/** A port's number, or the name of one of the container's ports. */
export function portNumberOrName(value: number | string, path: string): FieldError[] {
  return typeof value === 'number' ? portNumber(value, path) : checked(value, path, portName);
}

/** A key of a ConfigMap or Secret, which becomes a file's name. */
export function configKeyReasons(key: string): string[] {
  const reasons: string[] = [];
  if (key.length > MAX_CONFIG_KEY) reasons.push(`must be no more than ${MAX_CONFIG_KEY} characters`);
  if (!configKeyPattern.test(key)) {
    reasons.push(
      patternMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY_PATTERN,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  if (key === '.') reasons.push("must not be '.'");
  else if (key === '..') reasons.push("must not be '..'");
  else if (key.startsWith('..')) reasons.push("must not start with '..'");
  return reasons;
}

/** A quantity above zero. */
export function positiveQuantity(value: string, path: string): FieldError[] {
  const amount = parseQuantity(value);
  if (amount === undefined) return [invalidValue(path, value, QUANTITY_ERROR)];
  return amount > 0n ? [] : [invalidValue(path, value, NOT_POSITIVE)];
}
