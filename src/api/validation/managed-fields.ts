// What may stand in metadata.managedFields, which clients may send back, and what a field manager may be called
// (apimachinery pkg/apis/meta/v1/validation, ValidateManagedFields and ValidateFieldManager).
import { type FieldError, invalidValue, notSupported, required, tooLong } from '../errors.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';

const OPERATIONS: readonly string[] = ['Apply', 'Update'];
/** How long the name of a field manager may be. */
export const MAX_FIELD_MANAGER_BYTES = 128;
const MAX_SUBRESOURCE = 256;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

export function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { operation, fieldsType, manager, subresource }] of entries.entries()) {
    const at = `${path}[${index}]`;
    if (!operation) errors.push(required(`${at}.operation`, 'must not be empty'));
    else if (!OPERATIONS.includes(operation)) {
      errors.push(notSupported(`${at}.operation`, operation, OPERATIONS));
    }
    if (fieldsType && fieldsType !== 'FieldsV1') {
      errors.push(invalidValue(`${at}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
    }
    if (manager) errors.push(...fieldManagerErrors(manager, `${at}.manager`));
    if ((subresource ?? '').length > MAX_SUBRESOURCE) {
      errors.push(tooLong(`${at}.subresource`, MAX_SUBRESOURCE));
    }
  }
  return errors;
}

/**
 * What is wrong with the name of a field manager, if anything (ValidateFieldManager). Every error repeats the name: ask
 * within `boundedErrors`.
 */
export function fieldManagerErrors(name: string, path: string): FieldError[] {
  const isTooLong = Buffer.byteLength(name) > MAX_FIELD_MANAGER_BYTES;
  const errors = isTooLong ? [tooLong(path, MAX_FIELD_MANAGER_BYTES)] : [];
  let position = 0;
  for (const character of name) {
    if (UNPRINTABLE.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalidValue(path, name, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}
