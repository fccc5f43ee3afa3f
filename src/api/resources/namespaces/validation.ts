// What may stand in a Namespace, its finalizers and its status (pkg/apis/core/validation, ValidateNamespace…).
import { type FieldError, invalidValue } from '../../errors.ts';
import type { Namespace } from '../../generated/types.ts';
import { finalizerName } from '../../validation/metadata.ts';

export function validateNamespace({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((finalizer) => finalizerName(finalizer, 'spec.finalizers'));
}

/** Of the finalize subresource, which alone changes them. */
export function validateNamespaceFinalize({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((finalizer, index) =>
    finalizerName(finalizer, `spec.finalizers[${index}]`),
  );
}

/** The phase says whether the namespace is going away, which metadata says too. */
export function validateNamespaceStatusUpdate({ metadata, status }: Namespace): FieldError[] {
  const isGoing = metadata.deletionTimestamp !== undefined;
  const phase = status?.phase ?? '';
  if (phase === (isGoing ? 'Terminating' : 'Active')) return [];
  const why = isGoing
    ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
    : "may only be 'Active' if `deletionTimestamp` is empty";
  return [invalidValue('status.Phase', phase, why)];
}
