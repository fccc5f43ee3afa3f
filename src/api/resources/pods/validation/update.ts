// The little that may change in a Pod once it is made (pkg/apis/core/validation, ValidatePodUpdate).
import { type FieldError, forbiddenField, invalidValue } from '../../../errors.ts';
import type { Container, Pod, PodSpec, Toleration } from '../../../generated/types.ts';
import { semanticallyEqual } from '../../../validation/equality.ts';
import { describeDifference } from '../../../validation/field-difference.ts';
import { validatePodAnnotationsUpdate } from './annotations.ts';
import { mergeGated } from './gated-pod.ts';
import { validatePodItself } from './pod.ts';
import { validateDeadline } from './spec.ts';

const REFUSED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const annotations = validatePodAnnotationsUpdate(pod.metadata, old.metadata, 'metadata.annotations');
  // What was let through once is not held against a change of something else.
  if (semanticallyEqual(pod.spec, old.spec)) return annotations;
  const errors = [...validatePodItself(pod), ...annotations];
  for (const list of ['containers', 'initContainers'] as const) {
    if ((pod.spec[list] ?? []).length === (old.spec[list] ?? []).length) continue;
    errors.push(forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers'));
    return errors;
  }
  const deadline = validateDeadlineUpdate(pod.spec, old.spec, 'spec.activeDeadlineSeconds');
  errors.push(...deadline);
  if (deadline.length > 0 && pod.spec.activeDeadlineSeconds !== undefined) return errors;
  errors.push(
    ...validateAddedTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? [], 'spec.tolerations'),
    ...validateGates(pod.spec, old.spec),
  );
  const kept = withOldFields(pod.spec, old.spec);
  const { spec, errors: gated } = old.spec.schedulingGates?.length
    ? mergeGated(kept, old.spec, 'spec')
    : { spec: kept, errors: [] };
  errors.push(...gated);
  if (!semanticallyEqual(spec, old.spec)) {
    errors.push(forbiddenField('spec', `${REFUSED}\n${describeDifference(old.spec, spec)}`));
  }
  return errors;
}

/** From none to some, and from some to fewer. */
function validateDeadlineUpdate(
  { activeDeadlineSeconds: now }: PodSpec,
  { activeDeadlineSeconds: old }: PodSpec,
  path: string,
): FieldError[] {
  if (now === undefined) {
    const reason = 'must not update from a positive integer to nil value';
    return old === undefined ? [] : [invalidValue(path, now, reason)];
  }
  const errors = validateDeadline(now, 0, path);
  if (errors.length === 0 && old !== undefined && now > old) {
    errors.push(invalidValue(path, now, 'must be less than or equal to previous value'));
  }
  return errors;
}

/** Tolerations may be added; of those there were, only how long they last may change. */
function validateAddedTolerations(
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
  path: string,
): FieldError[] {
  const fixed = ({ key = '', operator = '', value = '', effect = '' }: Toleration): string =>
    JSON.stringify([key, operator, value, effect]);
  const now = new Set(tolerations.map(fixed));
  const kept = old.every((before) => now.has(fixed(before)));
  const reason = 'existing toleration can not be modified except its tolerationSeconds';
  return kept ? [] : [forbiddenField(path, reason)];
}

function validateGates({ schedulingGates: gates = [] }: PodSpec, old: PodSpec): FieldError[] {
  return gates.flatMap(({ name }, index) => {
    if (old.schedulingGates?.some((gate) => gate.name === name)) return [];
    const reason = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [forbiddenField(`spec.schedulingGates[${index}].name`, reason)];
  });
}

/** The new spec with the old values of what an update may change. */
function withOldFields(spec: PodSpec, old: PodSpec): PodSpec {
  const images = (now: Container[] | undefined, before: Container[] | undefined): Container[] | undefined =>
    now?.map((container, index) => {
      const { image: _, ...rest } = container;
      const image = before?.[index]?.image;
      return image === undefined ? rest : { ...rest, image };
    });
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    schedulingGates: _gates,
    initContainers,
    ...rest
  } = spec;
  const kept: PodSpec = { ...rest, containers: images(spec.containers, old.containers) ?? [] };
  const init = images(initContainers, old.initContainers);
  if (init) kept.initContainers = init;
  if (old.activeDeadlineSeconds !== undefined) kept.activeDeadlineSeconds = old.activeDeadlineSeconds;
  if (old.tolerations) kept.tolerations = old.tolerations;
  if (old.schedulingGates) kept.schedulingGates = old.schedulingGates;
  // A pod with a negative grace period could never be deleted; one second mends it.
  const grace = old.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    kept.terminationGracePeriodSeconds = grace;
  }
  return kept;
}
