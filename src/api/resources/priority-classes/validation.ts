// What may stand in a PriorityClass (pkg/apis/scheduling/validation).

import { own } from '../../../base/own.ts';
import { type FieldError, forbiddenField } from '../../errors.ts';
import type { PriorityClass } from '../../generated/types.ts';
import { immutable, optionalOneOf } from '../../validation/field-rules.ts';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const PREEMPTION_POLICIES: readonly string[] = ['PreemptLowerPriority', 'Never'];
const RESERVED = "priority class names with 'system-' prefix are reserved for system use only.";
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

export function validatePriorityClass(object: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '' } = object.metadata;
  const value = object.value ?? 0;
  if (name.startsWith('system-')) {
    const problem = systemClassProblem(name, value, object.globalDefault === true);
    if (problem) errors.push(forbiddenField('metadata.name', `${RESERVED} error: ${problem}`));
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.push(
      forbiddenField('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`),
    );
  }
  return [...errors, ...optionalOneOf(object.preemptionPolicy, 'preemptionPolicy', PREEMPTION_POLICIES)];
}

function systemClassProblem(name: string, value: number, isDefault: boolean): string | undefined {
  const known = own(SYSTEM_CLASSES, name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export function validatePriorityClassUpdate(object: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) {
    errors.push(forbiddenField('value', 'may not be changed in an update.'));
  }
  return [...errors, ...immutable(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
}
