// Rules of environment variables (pkg/apis/core/validation, ValidateEnv, ValidateEnvFrom).
import { type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../generated/types.ts';
import { checked, configKeyReasons, labelName, requiredText } from './field-rules.ts';

const SEVERAL = 'may not have more than one field specified at a time';

/** Fields of the pod that a variable can hold. */
const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields that exist in the downward API, wherever they may be used. */
const KNOWN_FIELDS: readonly string[] = [
  ...ENV_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
];
/** Fields that a file of a downward API volume can hold. */
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const RESOURCES: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Anything that prints, except `=`, which ends a name. */
export function variableNameReasons(name: string): string[] {
  if (name === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function validateEnv(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(variable.name
        ? checked(variable.name, `${at}.name`, variableNameReasons)
        : [required(`${at}.name`)]),
      ...(variable.valueFrom ? validateSource(variable.valueFrom, variable.value, `${at}.valueFrom`) : []),
    ];
  });
}

function validateSource(source: EnvVarSource, value: string | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const count = Object.values(source).filter((it) => it !== undefined).length;
  if (value) {
    if (count > 0) errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(invalidValue(path, '', SEVERAL));
  } else if (count === 0) {
    const choices = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalidValue(path, '', `must specify one of: ${choices}`));
  }
  const { fieldRef, resourceFieldRef } = source;
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`));
  if (resourceFieldRef) errors.push(...validateResourceRef(resourceFieldRef, `${path}.resourceFieldRef`));
  for (const field of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[field];
    if (reference === undefined) continue;
    errors.push(
      ...requiredText(reference.name, `${path}.${field}.name`),
      ...(reference.key
        ? checked(reference.key, `${path}.${field}.key`, configKeyReasons)
        : [required(`${path}.${field}.key`)]),
    );
  }
  return errors;
}

/** @param allowed the fields that may be named; labels and annotations may always be asked for by key. */
export function validateFieldRef(
  reference: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  const { fieldPath } = reference;
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const keyed = /^(.+)\['(.*)'\]$/.exec(fieldPath);
  if (keyed) {
    const [, field = '', key = ''] = keyed;
    if (field === 'metadata.annotations') return labelName(key.toLowerCase(), path);
    if (field === 'metadata.labels') return labelName(key, path);
    return [invalidValue(path, field, 'does not support subscript')];
  }
  if (!KNOWN_FIELDS.includes(fieldPath)) {
    const reason = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalidValue(`${path}.fieldPath`, fieldPath, reason)];
  }
  return allowed.includes(fieldPath) ? [] : [notSupported(`${path}.fieldPath`, fieldPath, allowed)];
}

/** @param needsContainer files name the container; variables are in it. */
export function validateResourceRef(
  { resource, containerName }: ResourceFieldSelector,
  path: string,
  needsContainer = false,
): FieldError[] {
  if (needsContainer && !containerName) return [required(`${path}.containerName`)];
  if (!resource) return [required(`${path}.resource`)];
  if (RESOURCES.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource)) return [];
  return [notSupported(`${path}.resource`, resource, RESOURCES)];
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    const errors = prefix ? checked(prefix, `${at}.prefix`, variableNameReasons) : [];
    if (configMapRef && secretRef) errors.push(invalidValue(at, '', SEVERAL));
    if (!configMapRef && !secretRef) {
      errors.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    }
    return [
      ...errors,
      ...(configMapRef ? requiredText(configMapRef.name, `${at}.configMapRef.name`) : []),
      ...(secretRef ? requiredText(secretRef.name, `${at}.secretRef.name`) : []),
    ];
  });
}
