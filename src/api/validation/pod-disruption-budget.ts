// What may stand in a PodDisruptionBudget (pkg/apis/policy/validation).
import { type FieldError, invalidValue } from '../errors.ts';
import type { PodDisruptionBudget } from '../generated/types.ts';
import { validateLabelSelector } from '../selectors.ts';
import { optionalOneOf } from './field-rules.ts';
import { intOrPercent } from './int-or-percent.ts';

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
    ...optionalOneOf(spec.unhealthyPodEvictionPolicy, 'spec.unhealthyPodEvictionPolicy', [
      'AlwaysAllow',
      'IfHealthyBudget',
    ]),
  ];
}
