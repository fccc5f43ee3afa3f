// What may stand in a PodDisruptionBudget, and in its status (pkg/apis/policy/validation).
import { type FieldError, invalidValue } from '../../errors.ts';
import type { PodDisruptionBudget } from '../../generated/types.ts';
import { validateLabelSelector } from '../../selectors.ts';
import { validateConditions } from '../../validation/conditions.ts';
import { nonNegative, optionalOneOf } from '../../validation/field-rules.ts';
import { intOrPercent } from '../../validation/int-or-percent.ts';

const EVICTION_POLICIES: readonly string[] = ['AlwaysAllow', 'IfHealthyBudget'];

export function validatePodDisruptionBudget({ spec }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  return [
    ...errors,
    ...intOrPercent(spec.minAvailable, 'spec.minAvailable'),
    ...intOrPercent(spec.maxUnavailable, 'spec.maxUnavailable'),
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...optionalOneOf(spec.unhealthyPodEvictionPolicy, 'spec.unhealthyPodEvictionPolicy', EVICTION_POLICIES),
  ];
}

export function validatePodDisruptionBudgetStatusUpdate({ status = {} }: PodDisruptionBudget): FieldError[] {
  return [
    ...validateConditions(status.conditions ?? [], 'status.conditions'),
    ...nonNegative(status.disruptionsAllowed, 'status.disruptionsAllowed'),
    ...nonNegative(status.currentHealthy, 'status.currentHealthy'),
    ...nonNegative(status.desiredHealthy, 'status.desiredHealthy'),
    ...nonNegative(status.expectedPods, 'status.expectedPods'),
  ];
}
