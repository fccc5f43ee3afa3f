// Rules of the annotations that mean something for a pod (pkg/apis/core/validation, ValidatePodSpecificAnnotations and
// its update).
import { type FieldError, forbiddenField, invalidValue } from '../../../errors.ts';
import type { ObjectMeta, PodSpec } from '../../../generated/types.ts';
import { APP_ARMOR_CONTAINER, validateProfileAnnotations } from './profiles.ts';

/** On pods that a node made of files of its own; what a client asks for does not reach them. */
export const MIRROR_POD = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const COST = /^(0|-?[1-9]\d{0,9})$/;
const MAX_INT32 = 2 ** 31;

/** @param path that of the annotations. */
export function validatePodAnnotations(
  { annotations }: ObjectMeta,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (!annotations) return [];
  const errors: FieldError[] = [];
  const mirror = annotations[MIRROR_POD];
  if (mirror !== undefined && !spec.nodeName) {
    const reason = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalidValue(`${path}[${MIRROR_POD}]`, mirror, reason));
  }
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalidValue(`${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer'));
  }
  errors.push(...validateProfileAnnotations(annotations, spec, path));
  return errors;
}

function isInt32(text: string): boolean {
  return COST.test(text) && Number(text) >= -MAX_INT32 && Number(text) < MAX_INT32;
}

export function validatePodAnnotationsUpdate(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  const now = meta.annotations ?? {};
  const before = old.annotations ?? {};
  return [
    ...Object.keys(before).flatMap((key) =>
      now[key] === before[key] ? [] : refuse(key, 'remove or update', path),
    ),
    ...Object.keys(now).flatMap((key) => (before[key] === undefined ? refuse(key, 'add', path) : [])),
  ];
}

function refuse(key: string, what: string, path: string): FieldError[] {
  if (key.startsWith(APP_ARMOR_CONTAINER)) {
    return [forbiddenField(`${path}[${key}]`, `may not ${what} AppArmor annotations`)];
  }
  return key === MIRROR_POD
    ? [forbiddenField(`${path}[${key}]`, `may not ${what} mirror pod annotation`)]
    : [];
}
