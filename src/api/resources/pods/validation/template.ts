// What may stand in a pod template, which sets and the PodTemplate kind hold (pkg/apis/core/validation,
// ValidatePodTemplateSpec).
import { type FieldError, forbiddenField, required } from '../../../errors.ts';
import type { PodTemplate, PodTemplateSpec } from '../../../generated/types.ts';
import { validateLabels } from '../../../selectors.ts';
import { validateAnnotations } from '../../../validation/metadata.ts';
import { validatePodAnnotations } from './annotations.ts';
import { validateProfilesAgree } from './profiles.ts';
import { validatePodSpec } from './spec.ts';

/**
 * Checks a template.
 * @param claimNames volumes that whoever uses the template adds (a set's claim templates).
 */
export function validatePodTemplateSpec(
  template: PodTemplateSpec,
  path: string,
  claimNames: readonly string[] = [],
): FieldError[] {
  const { metadata = {}, spec } = template;
  const errors = [
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
  ];
  if (spec === undefined) return [...errors, required(`${path}.spec.containers`)];
  errors.push(
    ...validatePodAnnotations(metadata, spec, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`, { claimNames }),
    ...validateProfilesAgree(metadata, spec, `${path}.spec`),
  );
  if (spec.ephemeralContainers?.length) {
    const reason = 'ephemeral containers not allowed in pod template';
    errors.push(forbiddenField(`${path}.spec.ephemeralContainers`, reason));
  }
  return errors;
}

export function validatePodTemplate(object: PodTemplate): FieldError[] {
  return validatePodTemplateSpec(object.template ?? {}, 'template');
}
