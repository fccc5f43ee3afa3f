// What may stand in a PersistentVolumeClaim, and that only its size may change once made (pkg/apis/core/validation,
// ValidatePersistentVolumeClaim…).
import { type FieldError, forbiddenField, invalidValue, required } from '../../errors.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from '../../generated/types.ts';
import { compareQuantities, parseQuantity } from '../../quantity.ts';
import { validateLabelSelector } from '../../selectors.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { describeDifference } from '../../validation/field-difference.ts';
import {
  immutable,
  optionalLabel,
  optionalOneOf,
  optionalSubdomain,
  positiveQuantity,
  requiredText,
} from '../../validation/field-rules.ts';
import { VOLUME_MODES, validateAccessModes } from '../persistent-volumes/validation.ts';

export const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Checks the spec of a claim, or of a template for claims. */
export function validatePersistentVolumeClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
): FieldError[] {
  const modes = spec.accessModes ?? [];
  const storage = spec.resources?.requests?.storage;
  const errors =
    modes.length === 0 ? [required(`${path}.accessModes`, 'at least 1 access mode is required')] : [];
  errors.push(
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...validateAccessModes(modes, `${path}.accessModes`),
    ...(storage === undefined
      ? [required(`${path}.resources[storage]`)]
      : positiveQuantity(storage, `${path}.resources[storage]`)),
    ...optionalSubdomain(spec.storageClassName, `${path}.storageClassName`),
    ...optionalOneOf(spec.volumeMode, `${path}.volumeMode`, VOLUME_MODES),
    ...validateDataSources(spec, path),
    ...optionalSubdomain(spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`),
  );
  return errors;
}

function validateDataSources(
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (dataSource) errors.push(...validateDataSource(dataSource, `${path}.dataSource`));
  if (!dataSourceRef) return errors;
  errors.push(
    ...validateDataSource(dataSourceRef, `${path}.dataSourceRef`),
    ...optionalLabel(dataSourceRef.namespace, `${path}.dataSourceRef.namespace`),
  );
  if (!dataSource) return errors;
  // Upstream names the field where it means its value.
  const other = `${path}.dataSource`;
  if (dataSourceRef.namespace) {
    errors.push(invalidValue(path, other, 'may not be specified when dataSourceRef.namespace is specified'));
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    errors.push(invalidValue(path, other, 'must match dataSourceRef'));
  }
  return errors;
}

function validateDataSource({ name, kind, apiGroup }: TypedLocalObjectReference, path: string): FieldError[] {
  const errors = [...requiredText(name, `${path}.name`), ...requiredText(kind, `${path}.kind`)];
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalidValue(path, kind, why));
  }
  return [...errors, ...optionalSubdomain(apiGroup, `${path}.apiGroup`)];
}

export function validatePersistentVolumeClaim(claim: PersistentVolumeClaim): FieldError[] {
  return validatePersistentVolumeClaimSpec(claim.spec, 'spec');
}

/** What else than the size may differ: the binder names the volume, once; a bound claim's attributes may change. */
function withOldFields(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { resources, ...rest } = claim.spec;
  const spec: PersistentVolumeClaimSpec = { ...rest };
  const before = old.spec;
  if (!before.volumeName) delete spec.volumeName;
  // A claim made before there was a default class gets one.
  if (before.storageClassName === undefined && mayNameClass(claim, old)) delete spec.storageClassName;
  const isBound = old.status?.phase === 'Bound';
  if (isBound && spec.volumeAttributesClassName !== undefined) {
    delete spec.volumeAttributesClassName;
    if (before.volumeAttributesClassName !== undefined) {
      spec.volumeAttributesClassName = before.volumeAttributesClassName;
    }
  }
  const { storage, ...requests } = resources?.requests ?? {};
  const amount = isBound ? before.resources?.requests?.storage : storage;
  spec.resources = {
    ...resources,
    requests: amount === undefined ? requests : { ...requests, storage: amount },
  };
  return spec;
}

/** The annotation that once named the class still does. */
function mayNameClass({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const annotated = old.metadata.annotations?.[BETA_CLASS];
  return annotated === undefined || annotated === spec.storageClassName;
}

export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const errors = validatePersistentVolumeClaim(claim);
  const annotated = claim.metadata.annotations?.[BETA_CLASS] ?? '';
  if (annotated !== (old.metadata.annotations?.[BETA_CLASS] ?? '')) {
    errors.push(invalidValue(`metadata.annotations.${BETA_CLASS}`, annotated, 'field is immutable'));
  }
  const { volumeName: _, ...unnamed } = old.spec;
  const before = old.spec.volumeName ? old.spec : unnamed;
  const now = withOldFields(claim, old);
  if (!sameSpec(now, before)) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n' +
      describeDifference(before, now);
    errors.push(forbiddenField('spec', why));
  }
  const size = claim.spec.resources?.requests?.storage ?? '0';
  const oldSize = old.spec.resources?.requests?.storage ?? '0';
  const capacity = old.status?.capacity?.storage ?? '0';
  // A growth that failed may be taken back, but never below what the volume already has.
  const shrinks = parseQuantity(size) !== undefined && compareQuantities(size, oldSize) < 0;
  if (shrinks && compareQuantities(size, capacity) <= 0) {
    errors.push(
      forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'),
    );
  }
  errors.push(...immutable(claim.spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  const { volumeAttributesClassName: attributes } = claim.spec;
  if (old.spec.volumeAttributesClassName !== undefined && !attributes) {
    const what = attributes === undefined ? 'nil' : 'an empty string';
    const why = `update from non-nil value to ${what} is forbidden`;
    errors.push(forbiddenField('spec.volumeAttributesClassName', why));
  }
  return errors;
}

/** 1Gi and 1024Mi are the same. */
function sameSpec(a: PersistentVolumeClaimSpec, b: PersistentVolumeClaimSpec): boolean {
  return semanticallyEqual(withPlainSize(a), withPlainSize(b));
}

function withPlainSize(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const amount = parseQuantity(spec.resources?.requests?.storage ?? '');
  if (amount === undefined) return spec;
  const requests = { ...spec.resources?.requests, storage: `${amount}n` };
  return { ...spec, resources: { ...spec.resources, requests } };
}
