// Fields that hold a number or a percentage (pkg/apis/apps/validation, ValidatePositiveIntOrPercent).
import { type FieldError, invalidValue } from '../errors.ts';
import { percentErrors, percentOf } from '../int-or-percent.ts';
import { checked, nonNegative } from './field-rules.ts';

/** If set, a number from zero up or a percentage up to a hundred. */
export function intOrPercent(value: number | string | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return nonNegative(value, path);
  const errors = checked(value, path, percentErrors);
  if (errors.length > 0) return errors;
  return (percentOf(value) ?? 0) > 100 ? [invalidValue(path, value, 'must not be greater than 100%')] : [];
}
