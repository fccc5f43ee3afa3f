// What may stand in metadata, whatever the kind: apimachinery pkg/api/validation/objectmeta.go, and the finalizer
// names of pkg/apis/core/validation.
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '../errors.ts';
import type { ObjectMeta, OwnerReference } from '../generated/types.ts';
import { dns1123Label, maskTrailingDash, qualifiedName } from '../names.ts';
import { validateLabels } from '../selectors.ts';
import { checked, immutable, nonNegative } from './field-rules.ts';
import { validateManagedFields } from './managed-fields.ts';

/** How large all keys and values of annotations together may be, bytes. */
const MAX_ANNOTATIONS = 256 * 1024;
const STANDARD_FINALIZERS: readonly string[] = ['foregroundDeletion', 'kubernetes', 'orphan'];

/**
 * Checks the metadata of a new object.
 * @param validateName the reasons why a name is bad for this kind.
 * @param path usually `metadata`.
 */
export function validateObjectMeta(
  meta: ObjectMeta,
  namespaced: boolean,
  validateName: (name: string) => string[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    // A name made of it ends in a letter or digit, so the prefix itself may end in a dash.
    const reasons = validateName(maskTrailingDash(meta.generateName));
    errors.push(...reasons.map((reason) => invalidValue(`${path}.generateName`, meta.generateName, reason)));
  }
  if (!meta.name) errors.push(required(`${path}.name`, 'name or generateName is required'));
  else errors.push(...checked(meta.name, `${path}.name`, validateName));
  if (namespaced) {
    if (!meta.namespace) errors.push(required(`${path}.namespace`));
    else errors.push(...checked(meta.namespace, `${path}.namespace`, dns1123Label));
  } else if (meta.namespace) {
    errors.push(forbiddenField(`${path}.namespace`, 'not allowed on this type'));
  }
  return [
    ...errors,
    ...nonNegative(meta.generation, `${path}.generation`),
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
    ...validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`),
  ];
}

/** Checks how metadata changed: identity never does, and nothing holds up a deletion that has begun. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = (meta.finalizers ?? []).filter((finalizer) => !before.has(finalizer)).sort();
    if (added.length > 0) {
      const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
      errors.push(
        forbiddenField(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
        ),
      );
    }
  }
  if (!meta.resourceVersion) {
    errors.push(invalidValue(`${path}.resourceVersion`, '', 'must be specified for an update'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'));
  }
  return [
    ...errors,
    ...nonNegative(meta.generation, `${path}.generation`),
    ...immutable(meta.name, old.name, `${path}.name`),
    ...immutable(meta.namespace, old.namespace, `${path}.namespace`),
    ...immutable(meta.uid, old.uid, `${path}.uid`),
    ...immutable(meta.creationTimestamp, old.creationTimestamp, `${path}.creationTimestamp`),
    ...immutable(meta.deletionTimestamp, old.deletionTimestamp, `${path}.deletionTimestamp`),
    ...immutable(
      meta.deletionGracePeriodSeconds,
      old.deletionGracePeriodSeconds,
      `${path}.deletionGracePeriodSeconds`,
    ),
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
    ...validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`),
  ];
}

/** Checks keys and the size of all together; values may be anything. */
export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    // Capitals have always been let through in the prefix of an annotation.
    for (const reason of qualifiedName(key.toLowerCase())) errors.push(invalidValue(path, key, reason));
    size += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  }
  if (size > MAX_ANNOTATIONS) errors.push(tooLong(path, MAX_ANNOTATIONS));
  return errors;
}

function validateOwnerReferences(owners: readonly OwnerReference[], path: string): FieldError[] {
  if (owners.length === 0) return [];
  const errors = owners.flatMap((owner, index) => validateOwnerReference(owner, `${path}[${index}]`));
  const [first, ...others] = owners.filter((owner) => owner.controller === true);
  for (const other of others) {
    const names = `${first?.kind}/${first?.name} and ${other.kind}/${other.name}`;
    errors.push(
      invalidValue(
        path,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
      ),
    );
  }
  return errors;
}

function validateOwnerReference(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const [group = '', version = group, more] = owner.apiVersion.split('/');
  if (!owner.apiVersion) errors.push(required(`${path}.apiVersion`, 'must not be empty'));
  else if (!version || more !== undefined) {
    errors.push(
      invalidValue(`${path}.apiVersion`, owner.apiVersion, 'must be <group>/<version> or <version>'),
    );
  }
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field]) errors.push(required(`${path}.${field}`, 'must not be empty'));
  }
  if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
    errors.push(invalidValue(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  if (finalizers.length === 0) return [];
  const errors = finalizers.flatMap((finalizer) => checked(finalizer, path, qualifiedName));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  for (const [index, finalizer] of finalizers.entries()) {
    errors.push(...kubernetesFinalizer(finalizer, `${path}[${index}]`));
  }
  return errors;
}

/** A finalizer of Kubernetes itself, or one with a domain. */
function kubernetesFinalizer(finalizer: string, path: string): FieldError[] {
  if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return [];
  const reason = 'name is neither a standard finalizer name nor is it fully qualified';
  return [invalidValue(path, finalizer, reason)];
}

/** A finalizer's name, where one stands outside metadata. */
export function finalizerName(finalizer: string, path: string): FieldError[] {
  return [...checked(finalizer, path, qualifiedName), ...kubernetesFinalizer(finalizer, path)];
}
