// What may stand in a Pod (pkg/apis/core/validation, ValidatePodCreate and validatePodMetadataAndSpec). What may change
// once it is made stands in pod-update.ts, what a node may report in pod-status.ts.
import { type FieldError, forbiddenField, invalidValue } from '../../../errors.ts';
import type { Pod, PodSpec } from '../../../generated/types.ts';
import { validatePodAnnotations } from './annotations.ts';
import { validateProfilesAgree } from './profiles.ts';
import { validatePodSpec } from './spec.ts';

export function validatePod(pod: Pod): FieldError[] {
  const { spec } = pod;
  const errors = validatePodItself(pod);
  if (spec.ephemeralContainers?.length) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  errors.push(...validateProfilesAgree(pod.metadata, spec, 'spec'));
  return errors;
}

/** Checks a pod by itself, new or not. */
export function validatePodItself({ metadata, spec }: Pod): FieldError[] {
  return [
    ...validatePodAnnotations(metadata, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { podName: metadata.name ?? '' }),
    ...validateTokensOwner(spec),
    ...validateImages(spec, 'containers'),
    ...validateImages(spec, 'initContainers'),
  ];
}

/** A token is a service account's: without one there is none. */
function validateTokensOwner({ serviceAccountName, volumes }: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (serviceAccountName) return errors;
  for (const [index, { projected }] of (volumes ?? []).entries()) {
    for (const [at, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (!serviceAccountToken) continue;
      const path = `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`;
      errors.push(forbiddenField(path, 'must not be specified when serviceAccountName is not set'));
    }
  }
  return errors;
}

/** Templates are spared this: some hold a blank that is replaced later. */
function validateImages(spec: PodSpec, list: 'containers' | 'initContainers'): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { image = '' }] of (spec[list] ?? []).entries()) {
    if (image === image.trim()) continue;
    const reason = 'must not have leading or trailing whitespace';
    errors.push(invalidValue(`spec.${list}[${index}].image`, image, reason));
  }
  return errors;
}
