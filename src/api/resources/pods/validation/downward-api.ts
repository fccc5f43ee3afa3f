// Rules of what containers are told of their pod, in variables and in files (pkg/apis/core/validation,
// validateObjectFieldSelector, validateContainerResourceFieldSelector, and pkg/apis/core/pods for the fields).
import { type FieldError, invalidValue, notSupported, required } from '../../../errors.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../../../generated/types.ts';
import { canonicalQuantity, parseQuantity, QUANTITY_ERROR } from '../../../quantity.ts';
import { labelName } from '../../../validation/field-rules.ts';
import { LIMITS_AND_REQUESTS } from '../../../validation/resource-names.ts';

/** Fields of the pod that a variable can hold. */
export const ENV_FIELDS: readonly string[] = [
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
const HUGE_PAGES = /^(limits|requests)\.hugepages-/;
const BYTE_UNITS = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';

/** @param allowed the fields that may be named; labels and annotations may always be asked for by key. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  if (!apiVersion) return [required(`${path}.apiVersion`)];
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  if (allowed.includes(fieldPath)) return [];
  if (apiVersion !== 'v1') {
    const reason = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
    return [invalidValue(`${path}.fieldPath`, fieldPath, reason)];
  }
  const bracket = fieldPath.lastIndexOf("['");
  if (bracket > 0 && fieldPath.endsWith("']") && fieldPath.length >= bracket + "['']".length) {
    const field = fieldPath.slice(0, bracket);
    const key = fieldPath.slice(bracket + 2, -2);
    if (field === 'metadata.annotations') return labelName(key.toLowerCase(), path);
    if (field === 'metadata.labels') return labelName(key, path);
    const reason = `error converting fieldPath: field label does not support subscript: ${fieldPath}`;
    return [invalidValue(`${path}.fieldPath`, fieldPath, reason)];
  }
  if (!KNOWN_FIELDS.includes(fieldPath)) {
    const reason = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalidValue(`${path}.fieldPath`, fieldPath, reason)];
  }
  return [notSupported(`${path}.fieldPath`, fieldPath, allowed)];
}

/** @param needsContainer files name the container; variables are in it. */
export function validateResourceRef(
  { resource, containerName, divisor }: ResourceFieldSelector,
  path: string,
  needsContainer = false,
): FieldError[] {
  const errors: FieldError[] = [];
  if (needsContainer && !containerName) errors.push(required(`${path}.containerName`));
  else if (!resource) errors.push(required(`${path}.resource`));
  else if (!LIMITS_AND_REQUESTS.includes(resource) && !HUGE_PAGES.test(resource)) {
    errors.push(notSupported(`${path}.resource`, resource, LIMITS_AND_REQUESTS));
  }
  if (divisor) errors.push(...validateDivisor(resource, divisor, `${path}.divisor`));
  return errors;
}

function validateDivisor(resource: string, divisor: string, path: string): FieldError[] {
  const amount = parseQuantity(divisor);
  if (amount === undefined) return [invalidValue(path, divisor, QUANTITY_ERROR)];
  // Nothing said: 1 is meant.
  if (amount === 0n) return [];
  const [name, units] = resource.endsWith('.cpu')
    ? ['cpu', '1m, 1']
    : resource.endsWith('.memory')
      ? ['memory', BYTE_UNITS]
      : resource.endsWith('.ephemeral-storage')
        ? ['local ephemeral storage', BYTE_UNITS]
        : HUGE_PAGES.test(resource)
          ? ['hugepages', BYTE_UNITS]
          : ['', ''];
  if (!name || units.split(', ').includes(canonicalQuantity(divisor))) return [];
  const list = name === 'cpu' ? '1m and 1' : units;
  return [
    invalidValue(path, resource, `only divisor's values ${list} are supported with the ${name} resource`),
  ];
}
