// What may stand in a Lease (pkg/apis/coordination/validation).
import { type FieldError, invalidValue } from '../errors.ts';
import type { Lease } from '../generated/types.ts';
import { nonNegative } from './field-rules.ts';

export function validateLease({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    errors.push(
      invalidValue('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'),
    );
  }
  return [...errors, ...nonNegative(spec.leaseTransitions, 'spec.leaseTransitions')];
}
