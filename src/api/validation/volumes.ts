// Rules of a pod's volumes: one source each, and what each source that a node here can mount needs (pkg/apis/core/
// validation, ValidateVolumes). Sources of clouds are let through; no node mounts them.
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../errors.ts';
import type { HostPathVolumeSource, KeyToPath, Volume } from '../generated/types.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
import { checked, quantity, requiredText } from './field-rules.ts';
import { fileMode, localPath, noBacksteps } from './paths.ts';
import { validatePersistentVolumeClaimSpec } from './persistent-volume-claim.ts';
import { validateDownwardFiles, validateProjections } from './projections.ts';

const HOST_PATH_TYPES: readonly string[] = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const seen = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const errors = validateVolume(volume, at);
    if (!volume.name) errors.push(required(`${at}.name`));
    else {
      errors.push(...checked(volume.name, `${at}.name`, dns1123Label));
      if (seen.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
      seen.add(volume.name);
    }
    return errors;
  });
}

function validateVolume(volume: Volume, path: string): FieldError[] {
  const { name: _, ...sources } = volume;
  const [source, ...more] = Object.entries(sources).flatMap(([name, it]) => (it === undefined ? [] : [name]));
  if (source === undefined) return [required(path, 'must specify a volume type')];
  const errors = more.map((name) =>
    forbiddenField(`${path}.${name}`, 'may not specify more than one volume type'),
  );
  return [...errors, ...validateLocalSources(volume, path), ...validateStorageSources(volume, path)];
}

/** What the node makes by itself, from the API or its own disk. */
function validateLocalSources(volume: Volume, path: string): FieldError[] {
  const { configMap, secret, emptyDir, hostPath, downwardAPI, projected } = volume;
  const errors: FieldError[] = [];
  if (configMap) {
    errors.push(
      ...requiredText(configMap.name, `${path}.configMap.name`),
      ...fileMode(configMap.defaultMode, `${path}.configMap.defaultMode`),
      ...validateItems(configMap.items ?? [], `${path}.configMap.items`),
    );
  }
  if (secret) {
    errors.push(
      ...requiredText(secret.secretName, `${path}.secret.secretName`),
      ...fileMode(secret.defaultMode, `${path}.secret.defaultMode`),
      ...validateItems(secret.items ?? [], `${path}.secret.items`),
    );
  }
  if (emptyDir?.sizeLimit !== undefined && quantity(emptyDir.sizeLimit, '').length > 0) {
    errors.push(
      forbiddenField(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'),
    );
  }
  if (hostPath) errors.push(...validateHostPath(hostPath, `${path}.hostPath`));
  if (downwardAPI) {
    errors.push(
      ...fileMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`),
      ...validateDownwardFiles(downwardAPI.items ?? [], `${path}.downwardAPI`),
    );
  }
  if (projected) errors.push(...validateProjections(projected, `${path}.projected`));
  return errors;
}

/** What comes from outside the node. */
function validateStorageSources(volume: Volume, path: string): FieldError[] {
  const { persistentVolumeClaim, ephemeral, nfs, csi } = volume;
  const errors: FieldError[] = [];
  if (persistentVolumeClaim) {
    const at = `${path}.persistentVolumeClaim.claimName`;
    errors.push(
      ...(persistentVolumeClaim.claimName
        ? checked(persistentVolumeClaim.claimName, at, dns1123Subdomain)
        : [required(at)]),
    );
  }
  if (ephemeral) {
    const at = `${path}.ephemeral.volumeClaimTemplate`;
    const template = ephemeral.volumeClaimTemplate;
    if (template === undefined) errors.push(required(at));
    else errors.push(...validatePersistentVolumeClaimSpec(template.spec, `${at}.spec`));
  }
  if (nfs) {
    errors.push(
      ...requiredText(nfs.server, `${path}.nfs.server`),
      ...requiredText(nfs.path, `${path}.nfs.path`),
    );
    if (nfs.path && !nfs.path.startsWith('/')) {
      errors.push(invalidValue(`${path}.nfs.path`, nfs.path, 'must be an absolute path'));
    }
  }
  if (csi) errors.push(...requiredText(csi.driver, `${path}.csi.driver`));
  return errors;
}

function validateHostPath({ path, type }: HostPathVolumeSource, at: string): FieldError[] {
  const errors = path ? noBacksteps(path, `${at}.path`) : [required(`${at}.path`)];
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) {
    errors.push(notSupported(`${at}.type`, type, HOST_PATH_TYPES));
  }
  return errors;
}

/** Which key becomes which file. */
export function validateItems(items: readonly KeyToPath[], path: string): FieldError[] {
  return items.flatMap((item, index) => [
    ...requiredText(item.key, `${path}[${index}].key`),
    ...localPath(item.path, `${path}[${index}].path`),
    ...fileMode(item.mode, `${path}[${index}].mode`),
  ]);
}
