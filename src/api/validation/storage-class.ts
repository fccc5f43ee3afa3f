// What may stand in a StorageClass (pkg/apis/storage/validation): all but labels and expansion is fixed once made.
import { type FieldError, forbiddenField, required } from '../errors.ts';
import type { StorageClass } from '../generated/types.ts';
import { qualifiedName } from '../names.ts';
import { semanticallyEqual } from './equality.ts';
import { checked, immutable, oneOf } from './field-rules.ts';

export function validateStorageClass(object: StorageClass): FieldError[] {
  const { provisioner } = object;
  return [
    ...(provisioner
      ? checked(provisioner.toLowerCase(), 'provisioner', qualifiedName)
      : [required('provisioner')]),
    ...Object.keys(object.parameters ?? {})
      .filter((key) => key === '')
      .map(() => required('parameters', 'must not be empty.')),
    ...oneOf(object.reclaimPolicy, 'reclaimPolicy', ['Delete', 'Retain']),
    ...oneOf(object.volumeBindingMode, 'volumeBindingMode', ['Immediate', 'WaitForFirstConsumer']),
  ];
}

export function validateStorageClassUpdate(object: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticallyEqual(object.parameters, old.parameters)) {
    errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'));
  }
  if (object.provisioner !== old.provisioner) {
    errors.push(forbiddenField('provisioner', 'updates to provisioner are forbidden.'));
  }
  return [
    ...errors,
    ...immutable(object.reclaimPolicy, old.reclaimPolicy, 'reclaimPolicy'),
    ...immutable(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
  ];
}
