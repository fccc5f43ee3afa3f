// Rules of projected and downward API volumes: files from several places that must not overwrite each other
// (pkg/apis/core/validation, validateProjectionSources, validateDownwardAPIVolumeFile).
import { type FieldError, forbiddenField, invalidValue, required } from '../../../errors.ts';
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  VolumeProjection,
} from '../../../generated/types.ts';
import { requiredText } from '../../../validation/field-rules.ts';
import { fileMode, localPath, requiredLocalPath } from '../../../validation/paths.ts';
import { validateClusterTrustBundle, validatePodCertificate } from './certificate-projections.ts';
import { VOLUME_FIELDS, validateFieldRef, validateResourceRef } from './downward-api.ts';

const MIN_TOKEN_SECONDS = 600;
const SOURCES = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
] as const satisfies readonly (keyof VolumeProjection)[];

export function validateProjections(volume: ProjectedVolumeSource, path: string): FieldError[] {
  const taken = new Set<string>();
  const errors = fileMode(volume.defaultMode, `${path}.defaultMode`);
  for (const [index, source] of (volume.sources ?? []).entries()) {
    errors.push(...validateProjection(source, taken, path, `${path}.sources[${index}]`));
  }
  return errors;
}

/**
 * @param taken the files of the volume so far.
 * @param volume the path of the volume, which errors of its files as a whole name.
 */
function validateProjection(
  source: VolumeProjection,
  taken: Set<string>,
  volume: string,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  /** @param what upstream says of a file that is there already: the object that it comes from, or the file. */
  const take = (file: string | undefined, what = file): void => {
    if (!file) return;
    if (taken.has(file)) errors.push(invalidValue(volume, what, 'conflicting duplicate paths'));
    taken.add(file);
  };
  const takeItems = (items: readonly KeyToPath[], name: string | undefined, at: string): void => {
    errors.push(...requiredText(name, `${at}.name`), ...validateItems(items, `${at}.items`));
    for (const item of items) take(item.path, name ?? '');
  };
  const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
  if (secret) takeItems(secret.items ?? [], secret.name, `${path}.secret`);
  if (configMap) takeItems(configMap.items ?? [], configMap.name, `${path}.configMap`);
  if (downwardAPI) {
    errors.push(...validateDownwardFiles(downwardAPI.items ?? [], `${path}.downwardAPI`));
    for (const file of downwardAPI.items ?? []) take(file.path);
  }
  if (token) {
    errors.push(
      ...validateTokenLife(token.expirationSeconds, `${path}.serviceAccountToken.expirationSeconds`),
    );
    errors.push(...(token.path ? localPath(token.path, `${volume}.path`) : [required(`${volume}.path`)]));
  }
  if (source.clusterTrustBundle) {
    errors.push(...validateClusterTrustBundle(source.clusterTrustBundle, `${path}.clusterTrustBundle`));
    take(source.clusterTrustBundle.path);
  }
  if (source.podCertificate) {
    const { credentialBundlePath, keyPath, certificateChainPath } = source.podCertificate;
    errors.push(...validatePodCertificate(source.podCertificate, `${path}.podCertificate`));
    for (const file of [credentialBundlePath, keyPath, certificateChainPath]) take(file);
  }
  if (SOURCES.filter((name) => source[name] !== undefined).length > 1) {
    errors.push(forbiddenField(path, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

function validateTokenLife(seconds: number | undefined, path: string): FieldError[] {
  if (seconds === undefined) return [];
  if (seconds < MIN_TOKEN_SECONDS) {
    return [invalidValue(path, seconds, 'may not specify a duration less than 10 minutes')];
  }
  if (seconds <= 2 ** 32) return [];
  return [invalidValue(path, seconds, 'may not specify a duration larger than 2^32 seconds')];
}

/** Files that hold fields of the pod. */
export function validateDownwardFiles(files: readonly DownwardAPIVolumeFile[], path: string): FieldError[] {
  return files.flatMap((file) => {
    const { fieldRef, resourceFieldRef } = file;
    const errors = requiredLocalPath(file.path, `${path}.path`);
    if (fieldRef) {
      errors.push(...validateFieldRef(fieldRef, VOLUME_FIELDS, `${path}.fieldRef`));
      if (resourceFieldRef) {
        const reason = 'fieldRef and resourceFieldRef can not be specified simultaneously';
        errors.push(invalidValue(path, 'resource', reason));
      }
    } else if (resourceFieldRef) {
      errors.push(...validateResourceRef(resourceFieldRef, `${path}.resourceFieldRef`, true));
    } else {
      errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
    }
    errors.push(...fileMode(file.mode, `${path}.mode`));
    return errors;
  });
}

/** Which key becomes which file. */
export function validateItems(items: readonly KeyToPath[], path: string): FieldError[] {
  return items.flatMap((item, index) => [
    ...requiredText(item.key, `${path}[${index}].key`),
    ...requiredLocalPath(item.path, `${path}[${index}].path`),
    ...fileMode(item.mode, `${path}[${index}].mode`),
  ]);
}
