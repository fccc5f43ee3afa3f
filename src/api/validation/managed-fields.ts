// What may stand in metadata.managedFields, which clients may send back (apimachinery pkg/apis/meta/v1/validation,
// ValidateManagedFields).
import { type FieldError, invalidValue, notSupported, required, tooLong } from '../errors.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';

const OPERATIONS: readonly string[] = ['Apply', 'Update'];
const MAX_MANAGER = 128;
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
    if (manager) errors.push(...fieldManager(manager, `${at}.manager`));
    if ((subresource ?? '').length > MAX_SUBRESOURCE) {
      errors.push(tooLong(`${at}.subresource`, MAX_SUBRESOURCE));
    }
  }
  return errors;
}

function fieldManager(name: string, path: string): FieldError[] {
  const errors = Buffer.byteLength(name) > MAX_MANAGER ? [tooLong(path, MAX_MANAGER)] : [];
  const bad = UNPRINTABLE.exec(name);
  if (bad) {
    const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const at = Buffer.byteLength(name.slice(0, bad.index));
    errors.push(invalidValue(path, name, `invalid character U+${code} (at position ${at})`));
  }
  return errors;
}
