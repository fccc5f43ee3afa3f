// Rules of ephemeral containers, which are added to a running pod to look into it: they have nothing that the pod
// could come to depend on, and once there they stay as they are (pkg/apis/core/validation,
// validateEphemeralContainers, ValidatePodEphemeralContainersUpdate).
import { duplicate, type FieldError, forbiddenField, invalidValue, notFoundField } from '../../../errors.ts';
import type { EphemeralContainer, Pod } from '../../../generated/types.ts';
import { semanticallyEqual } from '../../../validation/equality.ts';
import { describeDifference } from '../../../validation/field-difference.ts';
import { MIRROR_POD } from './annotations.ts';
import { type PodSurroundings, validateContainer } from './containers.ts';

const NOT_ALLOWED = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const satisfies readonly (keyof EphemeralContainer)[];
const WHY_NOT = 'cannot be set for an Ephemeral Container';

/** Checks the ephemeral containers of a pod with its other containers and its volumes. */
export function validateEphemeralContainers(
  ephemeral: readonly EphemeralContainer[],
  pod: PodSurroundings,
  path: string,
): FieldError[] {
  if (ephemeral.length === 0) return [];
  const others = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name),
  );
  const names = new Set(others);
  return ephemeral.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const { targetContainerName: target, ...common } = container;
    const errors = validateContainer(common, pod, at);
    if (container.image !== container.image?.trim()) {
      const reason = 'must not have leading or trailing whitespace';
      errors.push(invalidValue(`${at}.image`, container.image, reason));
    }
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    if (target && !others.has(target)) errors.push(notFoundField(`${at}.targetContainerName`, target));
    for (const field of NOT_ALLOWED) {
      // An empty list or map says nothing.
      if (!semanticallyEqual(container[field], undefined))
        errors.push(forbiddenField(`${at}.${field}`, WHY_NOT));
    }
    for (const [mountIndex, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (mount[field]) {
          errors.push(forbiddenField(`${at}.volumeMounts[${mountIndex}].${field}`, WHY_NOT));
        }
      }
    }
    return errors;
  });
}

/**
 * Checks that a write to the ephemeral containers of a pod only adds some.
 * @param pod the pod as it would be; the rules of its spec are checked apart (validatePod).
 */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.[MIRROR_POD] !== undefined) {
    return [forbiddenField('', 'static pods do not support ephemeral containers')];
  }
  const path = 'spec.ephemeralContainers';
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const container = now.get(before.name);
    const which = `existing ephemeral containers ${JSON.stringify(before.name)}`;
    if (!container) return [forbiddenField(path, `${which} may not be removed\n`)];
    if (semanticallyEqual(before, container)) return [];
    return [forbiddenField(path, `${which} may not be changed\n${describeDifference(before, container)}`)];
  });
}
