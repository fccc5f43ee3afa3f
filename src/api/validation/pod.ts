// What may stand in a Pod, and the little that may change once it is made (pkg/apis/core/validation, ValidatePodCreate,
// ValidatePodUpdate, ValidatePodStatusUpdate).
import { type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type { Container, Pod, PodSpec, Toleration } from '../generated/types.ts';
import { differingFields, semanticallyEqual } from './equality.ts';
import { immutable } from './field-rules.ts';
import { validateDeadline, validatePodSpec } from './pod-spec.ts';

export function validatePod(pod: Pod): FieldError[] {
  const errors = validatePodSpec(pod.spec, 'spec');
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, { image = '' }] of (pod.spec[list] ?? []).entries()) {
      if (image === image.trim()) continue;
      const reason = 'must not have leading or trailing whitespace';
      errors.push(invalidValue(`spec.${list}[${index}].image`, image, reason));
    }
  }
  if (pod.spec.schedulingGates?.length && pod.spec.nodeName) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

/** Tolerations may be added; of those there were, only how long they last may change. */
function validateAddedTolerations(
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
  path: string,
): FieldError[] {
  const fixed = ({ tolerationSeconds: _, ...rest }: Toleration): Toleration => rest;
  const kept = old.every((before) =>
    tolerations.some(
      (now) =>
        semanticallyEqual(now, before) ||
        (before.effect === 'NoExecute' && semanticallyEqual(fixed(now), fixed(before))),
    ),
  );
  const reason = 'existing toleration can not be modified except its tolerationSeconds';
  return kept ? [] : [forbiddenField(path, reason)];
}

function validateDeadlineUpdate(
  now: number | undefined,
  old: number | undefined,
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

const withoutImage = ({ image: _, ...rest }: Container): Container => rest;

/** The spec without what an update may change. */
function fixedPart(spec: PodSpec): PodSpec {
  const { activeDeadlineSeconds: _, tolerations: __, schedulingGates: ___, ...rest } = spec;
  return {
    ...rest,
    containers: spec.containers.map(withoutImage),
    initContainers: spec.initContainers?.map(withoutImage),
  };
}

/** A gated pod may still be narrowed to fewer nodes. */
function withoutGatedFields(spec: PodSpec): PodSpec {
  const { nodeSelector: _, affinity: __, ...rest } = spec;
  return rest;
}

function validateGates(spec: PodSpec, old: PodSpec): FieldError[] {
  const added = (spec.schedulingGates ?? []).find(
    ({ name }) => !old.schedulingGates?.some((gate) => gate.name === name),
  );
  if (added === undefined) return [];
  const reason = `only deletion is allowed, but found new scheduling gate '${added.name}'`;
  return [forbiddenField('spec.schedulingGates', reason)];
}

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = validateGates(pod.spec, old.spec);
  for (const list of ['containers', 'initContainers'] as const) {
    if ((pod.spec[list] ?? []).length !== (old.spec[list] ?? []).length) {
      errors.push(forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers'));
    }
    for (const [index, { image }] of (pod.spec[list] ?? []).entries()) {
      const at = `spec.${list}[${index}].image`;
      if (!image) errors.push(required(at));
      else if (image !== image.trim()) {
        errors.push(invalidValue(at, image, 'must not have leading or trailing whitespace'));
      }
    }
  }
  if (errors.length > 0) return errors;

  const { activeDeadlineSeconds: deadline, tolerations = [] } = pod.spec;
  errors.push(
    ...validateDeadlineUpdate(deadline, old.spec.activeDeadlineSeconds, 'spec.activeDeadlineSeconds'),
    ...validateAddedTolerations(tolerations, old.spec.tolerations ?? [], 'spec.tolerations'),
  );
  let [now, before] = [fixedPart(pod.spec), fixedPart(old.spec)];
  // A pod with a negative grace period could never be deleted; one second mends it.
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && now.terminationGracePeriodSeconds === 1) {
    before = { ...before, terminationGracePeriodSeconds: 1 };
  }
  if (old.spec.schedulingGates?.length) [now, before] = [withoutGatedFields(now), withoutGatedFields(before)];
  if (!semanticallyEqual(now, before)) {
    errors.push(
      forbiddenField(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,' +
          '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` ' +
          '(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` ' +
          '(allow it to be set to 1 if it was previously negative)\n' +
          `fields that differ: ${differingFields(now, before).join(', ')}`,
      ),
    );
  }
  return errors;
}

/** A container that has ended for good does not run again, and the node of a pod does not change. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = immutable(pod.spec.nodeName, old.spec.nodeName, 'spec.nodeName');
  const policy = old.spec.restartPolicy;
  if (policy === 'Always') return errors;
  const now = pod.status?.containerStatuses ?? [];
  for (const before of old.status?.containerStatuses ?? []) {
    const finished = before.state?.terminated;
    if (finished === undefined || (policy === 'OnFailure' && finished.exitCode !== 0)) continue;
    const index = now.findIndex(({ name }) => name === before.name);
    if (index < 0 || now[index]?.state?.terminated !== undefined) continue;
    errors.push(
      forbiddenField(
        `status.containerStatuses[${index}].state`,
        'may not be transitioned to non-terminated state',
      ),
    );
  }
  return errors;
}
