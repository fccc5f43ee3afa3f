// What may stand in a Secret, by its type (pkg/apis/core/validation, ValidateSecret…).

import { own } from '../../../base/own.ts';
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '../../errors.ts';
import type { Secret } from '../../generated/types.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { configKeyReasons, immutable } from '../../validation/field-rules.ts';
import { MAX_DATA_SIZE } from '../config-maps/validation.ts';

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const SSH_KEY = 'ssh-privatekey';
/** The keys that a secret of a type cannot do without. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': [SSH_KEY],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, encoded] of Object.entries(data)) {
    errors.push(...configKeyReasons(key).map((reason) => invalidValue(`data[${key}]`, key, reason)));
    size += Buffer.byteLength(encoded, 'base64');
  }
  if (size > MAX_DATA_SIZE) errors.push(tooLong('data', MAX_DATA_SIZE));
  return [...errors, ...validateSecretType(secret, data)];
}

function validateSecretType(secret: Secret, data: Record<string, string>): FieldError[] {
  const type = secret.type ?? '';
  const errors = (own(REQUIRED_KEYS, type) ?? [])
    // A private key must also say something.
    .filter((key) => (key === SSH_KEY ? !data[key] : own(data, key) === undefined))
    .map((key) => required(`data[${key}]`));
  if (
    type === 'kubernetes.io/service-account-token' &&
    !secret.metadata.annotations?.[SERVICE_ACCOUNT_NAME]
  ) {
    errors.push(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  }
  if (type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  for (const key of type.startsWith('kubernetes.io/docker') ? (own(REQUIRED_KEYS, type) ?? []) : []) {
    const encoded = data[key];
    const problem = encoded === undefined ? undefined : jsonObjectProblem(encoded);
    if (problem) errors.push(invalidValue(`data[${key}]`, '<secret contents redacted>', problem));
  }
  return errors;
}

/** Why the text is no JSON object, if it is none. */
function jsonObjectProblem(encoded: string): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString());
    const isObject = value === null || (typeof value === 'object' && !Array.isArray(value));
    return isObject ? undefined : 'must be a JSON object';
  } catch {
    // The parser's own words quote the secret.
    return 'must be valid JSON';
  }
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors = immutable(secret.type, old.type, 'type');
  if (old.immutable === true) {
    if (secret.immutable !== true) {
      errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'));
    }
    if (!semanticallyEqual(secret.data, old.data)) {
      errors.push(forbiddenField('data', 'field is immutable when `immutable` is set'));
    }
  }
  return [...errors, ...validateSecret(secret)];
}
