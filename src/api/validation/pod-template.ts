// What may stand in a pod template, which sets and the PodTemplate kind hold.
import { type FieldError, required } from '../errors.ts';
import type { PodTemplate, PodTemplateSpec } from '../generated/types.ts';
import { validateLabels } from '../selectors.ts';
import { validateAnnotations } from './metadata.ts';
import { validatePodSpec } from './pod-spec.ts';

/**
 * Checks a template.
 * @param claimNames volumes that whoever uses the template adds (a set's claim templates).
 */
export function validatePodTemplateSpec(
  template: PodTemplateSpec,
  path: string,
  claimNames: readonly string[] = [],
): FieldError[] {
  return [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...(template.spec === undefined
      ? [required(`${path}.spec.containers`)]
      : validatePodSpec(template.spec, `${path}.spec`, claimNames)),
  ];
}

export function validatePodTemplate(object: PodTemplate): FieldError[] {
  return validatePodTemplateSpec(object.template ?? {}, 'template');
}
