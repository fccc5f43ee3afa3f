// What may stand in a PersistentVolumeClaim, and that only its size may change once made (pkg/apis/core/validation,
// ValidatePersistentVolumeClaim…).
import { type FieldError, forbiddenField, required } from '../errors.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { validateLabelSelector } from '../selectors.ts';
import { differingFields, semanticallyEqual } from './equality.ts';
import {
  immutable,
  optionalOneOf,
  optionalSubdomain,
  positiveQuantity,
  quantity,
  requiredText,
} from './field-rules.ts';
import { VOLUME_MODES, validateAccessModes } from './persistent-volume.ts';

/** Checks the spec of a claim, or of a template for claims. */
export function validatePersistentVolumeClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
): FieldError[] {
  const storage = spec.resources?.requests?.storage;
  return [
    ...validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...(storage === undefined
      ? [required(`${path}.resources[storage]`)]
      : positiveQuantity(storage, `${path}.resources[storage]`)),
    ...optionalSubdomain(spec.storageClassName, `${path}.storageClassName`),
    ...optionalOneOf(spec.volumeMode, `${path}.volumeMode`, VOLUME_MODES),
    ...(spec.dataSource
      ? [
          ...requiredText(spec.dataSource.name, `${path}.dataSource.name`),
          ...requiredText(spec.dataSource.kind, `${path}.dataSource.kind`),
        ]
      : []),
    ...(spec.dataSourceRef
      ? [
          ...requiredText(spec.dataSourceRef.name, `${path}.dataSourceRef.name`),
          ...requiredText(spec.dataSourceRef.kind, `${path}.dataSourceRef.kind`),
        ]
      : []),
    ...optionalSubdomain(spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`),
  ];
}

export function validatePersistentVolumeClaim(claim: PersistentVolumeClaim): FieldError[] {
  return validatePersistentVolumeClaimSpec(claim.spec, 'spec');
}

/** The spec of a claim without what may change: what is left must be the same before and after. */
function fixedPart(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { resources, ...rest } = claim.spec;
  const fixed: PersistentVolumeClaimSpec = { ...rest };
  delete fixed.volumeAttributesClassName;
  // The binder names the volume, once; and a claim made before there was a default class gets one.
  if (!old.spec.volumeName) delete fixed.volumeName;
  if (old.spec.storageClassName === undefined) delete fixed.storageClassName;
  const requests = { ...resources?.requests };
  const amount = parseQuantity(requests.storage ?? '');
  delete requests.storage;
  // Only a bound claim grows. 1Gi and 1024Mi are the same.
  if (old.status?.phase !== 'Bound' && amount !== undefined) requests.storage = `${amount}n`;
  return { ...fixed, resources: { ...resources, requests } };
}

export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const errors = validatePersistentVolumeClaim(claim);
  const [now, before] = [fixedPart(claim, old), fixedPart(old, old)];
  if (!semanticallyEqual(now, before)) {
    errors.push(
      forbiddenField(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n' +
          `fields that differ: ${differingFields(now, before).join(', ')}`,
      ),
    );
  }
  const size = claim.spec.resources?.requests?.storage ?? '0';
  const oldSize = old.spec.resources?.requests?.storage ?? '0';
  const capacity = old.status?.capacity?.storage ?? '0';
  // A growth that failed may be taken back, but never below what the volume already has.
  if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, capacity) <= 0) {
    errors.push(
      forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'),
    );
  }
  return [...errors, ...immutable(claim.spec.volumeMode, old.spec.volumeMode, 'volumeMode')];
}

export function validatePersistentVolumeClaimStatusUpdate(claim: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['capacity', 'allocatedResources'] as const) {
    for (const [resource, amount] of Object.entries(claim.status?.[field] ?? {})) {
      errors.push(...quantity(amount, `status.${field}[${resource}]`));
    }
  }
  return errors;
}
