// Rules of environment variables and where they come from (pkg/apis/core/validation, ValidateEnv, ValidateEnvFrom).
// What of the pod a variable can hold, downward-api.ts says.
import { type FieldError, invalidValue, required } from '../../../errors.ts';
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from '../../../generated/types.ts';
import { dns1123Subdomain, maskTrailingDash } from '../../../names.ts';
import { checked, configKeyReasons, requiredLabel } from '../../../validation/field-rules.ts';
import { localPath } from '../../../validation/paths.ts';
import { ENV_FIELDS, validateFieldRef, validateResourceRef } from './downward-api.ts';

const SEVERAL = 'may not have more than one field specified at a time';
const PRINTABLE = /^[\x20-\x3c\x3e-\x7e]+$/;
/** Whatever names this API gives: the reference may be a prefix of one. */
const referenceName = (name: string): string[] => dns1123Subdomain(maskTrailingDash(name));

/** Anything that prints, except `=`, which ends a name. */
function variableNameReasons(name: string): string[] {
  if (name === '') return ['environment variable name must be non-empty'];
  return PRINTABLE.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function validateEnv(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, index) => {
    const { name, value, valueFrom } = variable;
    const at = `${path}[${index}]`;
    const errors = name ? checked(name, `${at}.name`, variableNameReasons) : [required(`${at}.name`)];
    if (valueFrom) errors.push(...validateSource(valueFrom, value, `${at}.valueFrom`));
    return errors;
  });
}

function validateSource(source: EnvVarSource, value: string | undefined, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`));
  if (resourceFieldRef) errors.push(...validateResourceRef(resourceFieldRef, `${path}.resourceFieldRef`));
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  if (fileKeyRef) errors.push(...validateFileRef(fileKeyRef, `${path}.fileKeyRef`));
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    Boolean,
  ).length;
  if (count === 0) {
    const choices = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalidValue(path, '', `must specify one of: ${choices}`));
  } else if (value) {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(invalidValue(path, '', SEVERAL));
  }
  return errors;
}

function validateKeyRef({ name = '', key }: { name?: string; key: string }, path: string): FieldError[] {
  return [
    ...checked(name, `${path}.name`, dns1123Subdomain),
    ...(key ? checked(key, `${path}.key`, configKeyReasons) : [required(`${path}.key`)]),
  ];
}

function validateFileRef({ volumeName, path: file, key }: FileKeySelector, path: string): FieldError[] {
  return [
    ...requiredLabel(volumeName, `${path}.volumeName`),
    ...(file ? localPath(file, `${path}.path`) : [required(`${path}.path`)]),
    ...(key ? checked(key, `${path}.key`, variableNameReasons) : [required(`${path}.key`)]),
  ];
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    const errors = prefix ? checked(prefix, `${at}.prefix`, variableNameReasons) : [];
    if (configMapRef) errors.push(...validateReference(configMapRef.name, `${at}.configMapRef.name`));
    if (secretRef) errors.push(...validateReference(secretRef.name, `${at}.secretRef.name`));
    if (!configMapRef && !secretRef) {
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(invalidValue(path, '', SEVERAL));
    }
    return errors;
  });
}

function validateReference(name: string | undefined, path: string): FieldError[] {
  return name ? checked(name, path, referenceName) : [required(path)];
}
