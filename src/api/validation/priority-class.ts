// What may stand in a PriorityClass (pkg/apis/scheduling/validation).
import { type FieldError, forbiddenField } from '../errors.ts';
import type { PriorityClass } from '../generated/types.ts';
import { immutable, oneOf } from './field-rules.ts';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

export function validatePriorityClass(object: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = object.metadata.name ?? '';
  const value = object.value ?? 0;
  if (name.startsWith('system-')) {
    if (SYSTEM_CLASSES[name] !== value) {
      errors.push(
        forbiddenField(
          'metadata.name',
          "priority class names with 'system-' prefix are reserved for system use only. error: " +
            (SYSTEM_CLASSES[name] === undefined
              ? `${name} is not a known system priority class`
              : `value of ${name} PriorityClass must be ${SYSTEM_CLASSES[name]}`),
        ),
      );
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.push(
      forbiddenField('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`),
    );
  }
  return [
    ...errors,
    ...oneOf(object.preemptionPolicy, 'preemptionPolicy', ['Never', 'PreemptLowerPriority']),
  ];
}

export function validatePriorityClassUpdate(object: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) {
    errors.push(forbiddenField('value', 'may not be changed in an update.'));
  }
  return [...errors, ...immutable(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
}
