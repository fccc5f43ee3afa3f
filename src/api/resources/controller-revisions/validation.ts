// What may stand in a ControllerRevision (pkg/apis/apps/validation).
import { type FieldError, required } from '../../errors.ts';
import type { ControllerRevision } from '../../generated/types.ts';
import { immutable, nonNegative } from '../../validation/field-rules.ts';

export function validateControllerRevision(revision: ControllerRevision): FieldError[] {
  return [
    ...(revision.data === undefined ? [required('data', 'data is mandatory')] : []),
    ...nonNegative(revision.revision, 'revision'),
  ];
}

export function validateControllerRevisionUpdate(
  revision: ControllerRevision,
  old: ControllerRevision,
): FieldError[] {
  return [...validateControllerRevision(revision), ...immutable(revision.data, old.data, 'data')];
}
