// Rules of projected and downward API volumes (pkg/apis/core/validation, validateProjectionSources,
// validateDownwardAPIVolumeFile).
import { type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type { DownwardAPIVolumeFile, ProjectedVolumeSource, VolumeProjection } from '../generated/types.ts';
import { VOLUME_FIELDS, validateFieldRef, validateResourceRef } from './env.ts';
import { requiredText } from './field-rules.ts';
import { fileMode, localPath } from './paths.ts';
import { validateItems } from './volumes.ts';

const MIN_TOKEN_SECONDS = 600;

export function validateProjections(volume: ProjectedVolumeSource, path: string): FieldError[] {
  return [
    ...fileMode(volume.defaultMode, `${path}.defaultMode`),
    ...(volume.sources ?? []).flatMap((source, index) =>
      validateProjection(source, `${path}.sources[${index}]`),
    ),
  ];
}

function validateProjection(source: VolumeProjection, path: string): FieldError[] {
  const [, ...more] = Object.entries(source).flatMap(([name, it]) => (it === undefined ? [] : [name]));
  const errors = more.map((name) =>
    forbiddenField(`${path}.${name}`, 'may not specify more than one volume type'),
  );
  for (const field of ['configMap', 'secret'] as const) {
    const projection = source[field];
    if (projection === undefined) continue;
    errors.push(
      ...requiredText(projection.name, `${path}.${field}.name`),
      ...validateItems(projection.items ?? [], `${path}.${field}.items`),
    );
  }
  if (source.downwardAPI) {
    errors.push(...validateDownwardFiles(source.downwardAPI.items ?? [], `${path}.downwardAPI`));
  }
  if (source.serviceAccountToken) {
    const { expirationSeconds: seconds, path: file } = source.serviceAccountToken;
    const at = `${path}.serviceAccountToken`;
    if (seconds !== undefined && seconds < MIN_TOKEN_SECONDS) {
      const reason = 'may not specify a duration less than 10 minutes';
      errors.push(invalidValue(`${at}.expirationSeconds`, seconds, reason));
    } else if (seconds !== undefined && seconds > 2 ** 32) {
      const reason = 'may not specify a duration larger than 2^32 seconds';
      errors.push(invalidValue(`${at}.expirationSeconds`, seconds, reason));
    }
    errors.push(...localPath(file, `${at}.path`));
  }
  return errors;
}

/** Files that hold fields of the pod. */
export function validateDownwardFiles(files: readonly DownwardAPIVolumeFile[], path: string): FieldError[] {
  return files.flatMap((file) => {
    const { fieldRef, resourceFieldRef } = file;
    const errors = [...localPath(file.path, `${path}.path`), ...fileMode(file.mode, `${path}.mode`)];
    if (fieldRef && resourceFieldRef) {
      const reason = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(invalidValue(path, 'resource', reason));
    } else if (fieldRef) {
      errors.push(...validateFieldRef(fieldRef, VOLUME_FIELDS, `${path}.fieldRef`));
    } else if (resourceFieldRef) {
      errors.push(...validateResourceRef(resourceFieldRef, `${path}.resourceFieldRef`, true));
    } else {
      errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
    }
    return errors;
  });
}
