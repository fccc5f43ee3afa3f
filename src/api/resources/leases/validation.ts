// What may stand in a Lease (pkg/apis/coordination/validation).
import { type FieldError, forbiddenField, invalidValue, notSupported } from '../../errors.ts';
import type { Lease } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import { checked, nonNegative } from '../../validation/field-rules.ts';

const STRATEGIES: readonly string[] = ['OldestEmulationVersion'];

export function validateLease({ spec }: Lease): FieldError[] {
  const { leaseDurationSeconds: seconds, strategy, preferredHolder } = spec;
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0) {
    errors.push(invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  }
  errors.push(...nonNegative(spec.leaseTransitions, 'spec.leaseTransitions'));
  if (strategy !== undefined) errors.push(...validateStrategy(strategy, 'spec.strategy.strategy'));
  if (preferredHolder && !strategy) {
    errors.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return errors;
}

/** One that Kubernetes knows, or somebody's own with a domain. */
function validateStrategy(strategy: string, path: string): FieldError[] {
  if (strategy.includes('/')) return checked(strategy, path, qualifiedName);
  return STRATEGIES.includes(strategy) ? [] : [notSupported(path, strategy, STRATEGIES)];
}
