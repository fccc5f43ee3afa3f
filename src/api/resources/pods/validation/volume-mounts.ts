// Rules of where a container finds its volumes (pkg/apis/core/validation, ValidateVolumeMounts,
// ValidateVolumeDevices). Some of upstream's errors name the list, not the mount; so do these.
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
} from '../../../errors.ts';
import type { Container, Volume, VolumeMount } from '../../../generated/types.ts';
import { descendingPath, noBacksteps } from '../../../validation/paths.ts';

type Volumes = ReadonlyMap<string, Volume>;

const PROPAGATION: readonly string[] = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE: readonly string[] = ['Disabled', 'Enabled', 'IfPossible'];

/** @param volumes those that the pod will have. */
export function validateVolumeMounts(container: Container, volumes: Volumes, path: string): FieldError[] {
  const { volumeMounts = [], volumeDevices = [] } = container;
  if (volumeMounts.length === 0) return [];
  const mountPaths = new Set<string>();
  const deviceNames = new Set(volumeDevices.map(({ name }) => name));
  const deviceNodes = new Set(volumeDevices.map(({ devicePath }) => devicePath));
  return volumeMounts.flatMap((mount, index) => {
    const { name, mountPath } = mount;
    const at = `${path}[${index}]`;
    const volume = volumes.get(name);
    const errors = name ? [] : [required(`${at}.name`)];
    if (!volume) errors.push(notFoundField(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    if (mountPaths.has(mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'));
    }
    mountPaths.add(mountPath);
    if (deviceNames.has(name)) {
      errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (deviceNodes.has(mountPath)) {
      const reason = 'must not already exist as a path in volumeDevices';
      errors.push(invalidValue(`${at}.mountPath`, mountPath, reason));
    }
    errors.push(
      ...validateSubPath(mount, path, at),
      ...validatePropagation(mount, container, `${path}.mountPropagation`),
      ...validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`),
    );
    return errors;
  });
}

function validateSubPath({ subPath, subPathExpr }: VolumeMount, list: string, path: string): FieldError[] {
  const errors = subPath ? descendingPath(subPath, `${list}.subPath`) : [];
  if (!subPathExpr) return errors;
  if (subPath) {
    const reason = 'subPathExpr and subPath are mutually exclusive';
    errors.push(invalidValue(`${path}.subPathExpr`, subPathExpr, reason));
  }
  return [...errors, ...descendingPath(subPathExpr, `${list}.subPathExpr`)];
}

function validatePropagation(mount: VolumeMount, container: Container, path: string): FieldError[] {
  const { mountPropagation } = mount;
  if (mountPropagation === undefined) return [];
  if (!PROPAGATION.includes(mountPropagation)) return [notSupported(path, mountPropagation, PROPAGATION)];
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const reason = 'Bidirectional mount propagation is available only to privileged containers';
    return [forbiddenField(path, reason)];
  }
  return [];
}

function validateRecursiveReadOnly(mount: VolumeMount, path: string): FieldError[] {
  const { recursiveReadOnly, readOnly, mountPropagation = 'None' } = mount;
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return [];
  if (!RECURSIVE.includes(recursiveReadOnly)) return [notSupported(path, recursiveReadOnly, RECURSIVE)];
  const errors: FieldError[] = [];
  if (readOnly !== true) errors.push(forbiddenField(path, 'may only be specified when readOnly is true'));
  if (mountPropagation !== 'None') {
    const reason = 'may only be specified when mountPropagation is None or not specified';
    errors.push(forbiddenField(path, reason));
  }
  return errors;
}

export function validateVolumeDevices(container: Container, volumes: Volumes, path: string): FieldError[] {
  const { volumeMounts = [], volumeDevices = [] } = container;
  if (volumeDevices.length === 0) return [];
  const names = new Set<string>();
  const devicePaths = new Set<string>();
  const mountNames = new Set(volumeMounts.map(({ name }) => name));
  const mountPaths = new Set(volumeMounts.map(({ mountPath }) => mountPath));
  return volumeDevices.flatMap(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`;
    const volume = volumes.get(name);
    const errors = name ? [] : [required(`${at}.name`)];
    if (name && names.has(name)) errors.push(invalidValue(`${at}.name`, name, 'must be unique'));
    names.add(name);
    if (!volume) errors.push(notFoundField(`${at}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const reason = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalidValue(`${at}.name`, name, reason));
    }
    if (!devicePath) errors.push(required(`${at}.devicePath`));
    if (devicePaths.has(devicePath)) {
      errors.push(invalidValue(`${at}.devicePath`, devicePath, 'must be unique'));
    }
    if (noBacksteps(devicePath, '').length > 0) {
      errors.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else devicePaths.add(devicePath);
    if (mountNames.has(name)) {
      errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mountPaths.has(devicePath)) {
      const reason = 'must not already exist as a path in volumeMounts';
      errors.push(invalidValue(`${at}.devicePath`, devicePath, reason));
    }
    return errors;
  });
}
