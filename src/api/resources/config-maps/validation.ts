// What may stand in a ConfigMap (pkg/apis/core/validation, ValidateConfigMap…).

import { own } from '../../../base/own.ts';
import { type FieldError, forbiddenField, invalidValue, tooLong } from '../../errors.ts';
import type { ConfigMap } from '../../generated/types.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { configKeyReasons } from '../../validation/field-rules.ts';

/** How much a ConfigMap or Secret may hold, bytes. */
export const MAX_DATA_SIZE = 1024 * 1024;

export function validateConfigMap(map: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, text] of Object.entries(map.data ?? {})) {
    errors.push(...configKeyReasons(key).map((reason) => invalidValue(`data[${key}]`, key, reason)));
    if (own(map.binaryData, key) !== undefined) {
      errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    size += Buffer.byteLength(text);
  }
  for (const [key, encoded] of Object.entries(map.binaryData ?? {})) {
    errors.push(...configKeyReasons(key).map((reason) => invalidValue(`binaryData[${key}]`, key, reason)));
    size += Buffer.byteLength(encoded, 'base64');
  }
  if (size > MAX_DATA_SIZE) errors.push(tooLong('', MAX_DATA_SIZE));
  return errors;
}

export function validateConfigMapUpdate(map: ConfigMap, old: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  if (old.immutable === true) {
    if (map.immutable !== true) {
      errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'));
    }
    for (const field of ['data', 'binaryData'] as const) {
      if (!semanticallyEqual(map[field], old[field])) {
        errors.push(forbiddenField(field, 'field is immutable when `immutable` is set'));
      }
    }
  }
  return [...errors, ...validateConfigMap(map)];
}
