// Rules of metav1.Condition, which several kinds report (apimachinery pkg/apis/meta/v1/validation,
// ValidateConditions).
import { duplicate, type FieldError, invalidValue, notSupported, required, tooLong } from '../errors.ts';
import type { Condition } from '../generated/types.ts';
import { patternMessage } from '../names.ts';
import { labelName } from './field-rules.ts';

const STATUSES: readonly string[] = ['False', 'True', 'Unknown'];
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${REASON}$`);
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

export function validateConditions(conditions: readonly Condition[], path: string): FieldError[] {
  const types = new Set<string>();
  return conditions.flatMap((condition, index) => {
    const at = `${path}[${index}]`;
    const errors = types.has(condition.type) ? [duplicate(at, condition.type)] : [];
    types.add(condition.type);
    return [...errors, ...validateCondition(condition, at)];
  });
}

function validateCondition(condition: Condition, path: string): FieldError[] {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message = '' } = condition;
  const errors = type ? labelName(type, `${path}.type`) : [required(`${path}.type`, 'is required')];
  if (!status) errors.push(required(`${path}.status`));
  else if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
  if (observedGeneration < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(invalidValue(`${path}.observedGeneration`, observedGeneration, why));
  }
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`));
  if (!reason) errors.push(required(`${path}.reason`));
  else {
    if (!reasonPattern.test(reason)) errors.push(invalidValue(`${path}.reason`, reason, reasonMessage()));
    if (Buffer.byteLength(reason) > MAX_REASON) errors.push(tooLong(`${path}.reason`, MAX_REASON));
  }
  if (Buffer.byteLength(message) > MAX_MESSAGE) errors.push(tooLong(`${path}.message`, MAX_MESSAGE));
  return errors;
}

function reasonMessage(): string {
  return patternMessage(
    'a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric ' +
      "characters or '_,:', and must end with an alphanumeric character or '_'",
    REASON,
    'my_name',
    'MY_NAME',
    'MyName',
    'ReasonA,ReasonB',
    'ReasonA:ReasonB',
  );
}
