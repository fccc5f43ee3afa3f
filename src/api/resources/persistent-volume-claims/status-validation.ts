// What may be reported of a PersistentVolumeClaim (pkg/apis/core/validation, ValidatePersistentVolumeClaimStatusUpdate).
import { type FieldError, invalidValue, notSupported, required } from '../../errors.ts';
import type { PersistentVolumeClaim } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import { parseQuantity, QUANTITY_ERROR } from '../../quantity.ts';
import { checked } from '../../validation/field-rules.ts';
import { isNativeResource } from '../../validation/resource-names.ts';

const NANO = 1_000_000_000n;
const RESIZE_STATUSES: readonly string[] = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];

export function validatePersistentVolumeClaimStatusUpdate({
  spec,
  status = {},
}: PersistentVolumeClaim): FieldError[] {
  const errors = spec.accessModes?.length ? [] : [required('Spec.accessModes')];
  for (const [resource, text] of Object.entries(status.capacity ?? {})) {
    errors.push(...amount(text, `status.capacity[${resource}]`));
  }
  const statuses = 'status.allocatedResourceStatus';
  for (const [resource, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    errors.push(...resourceKey(resource, statuses));
    if (!RESIZE_STATUSES.includes(state)) errors.push(notSupported(statuses, resource, RESIZE_STATUSES));
  }
  const allocated = 'status.allocatedResources';
  for (const [resource, text] of Object.entries(status.allocatedResources ?? {})) {
    const bad = resourceKey(resource, allocated);
    errors.push(...(bad.length > 0 ? bad : amount(text, `${allocated}[${resource}]`)));
  }
  return errors;
}

/** Of what Kubernetes itself names, a claim has storage only. */
function resourceKey(resource: string, path: string): FieldError[] {
  const errors = checked(resource, path, qualifiedName);
  if (errors.length > 0 || !isNativeResource(resource) || resource === 'storage') return errors;
  return [notSupported(path, resource, ['storage'])];
}

function amount(text: string, path: string): FieldError[] {
  const nano = parseQuantity(text);
  if (nano === undefined) return [invalidValue(path, text, QUANTITY_ERROR)];
  if (nano >= 0n) return [];
  return [invalidValue(path, Number(nano / NANO), 'must be a valid resource quantity')];
}
