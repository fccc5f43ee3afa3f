// Rules of where a container finds its volumes (pkg/apis/core/validation, ValidateVolumeMounts,
// ValidateVolumeDevices).
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
} from '../errors.ts';
import type { Container, VolumeMount } from '../generated/types.ts';
import { requiredText } from './field-rules.ts';
import { descendingPath, noBacksteps } from './paths.ts';

const PROPAGATION: readonly string[] = ['Bidirectional', 'HostToContainer', 'None'];

/** @param volumeNames every volume that the pod will have. */
export function validateVolumeMounts(
  container: Container,
  volumeNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const mountPaths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const errors = requiredText(mount.name, `${at}.name`);
    if (mount.name && !volumeNames.has(mount.name)) errors.push(notFoundField(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
    if (mountPaths.has(mount.mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    }
    mountPaths.add(mount.mountPath);
    if (devices.some(({ name }) => name === mount.name)) {
      errors.push(invalidValue(`${at}.name`, mount.name, 'must not already exist in volumeDevices'));
    }
    if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) {
      const reason = 'must not already exist as a path in volumeDevices';
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, reason));
    }
    return [...errors, ...validateSubPath(mount, at), ...validatePropagation(mount, container, at)];
  });
}

function validateSubPath({ subPath, subPathExpr }: VolumeMount, path: string): FieldError[] {
  const errors = subPath ? descendingPath(subPath, `${path}.subPath`) : [];
  if (!subPathExpr) return errors;
  if (subPath) {
    const reason = 'subPathExpr and subPath are mutually exclusive';
    errors.push(invalidValue(`${path}.subPathExpr`, subPathExpr, reason));
  }
  return [...errors, ...descendingPath(subPathExpr, `${path}.subPathExpr`)];
}

function validatePropagation(mount: VolumeMount, container: Container, path: string): FieldError[] {
  const { mountPropagation } = mount;
  if (mountPropagation === undefined) return [];
  const at = `${path}.mountPropagation`;
  if (!PROPAGATION.includes(mountPropagation)) return [notSupported(at, mountPropagation, PROPAGATION)];
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    return [forbiddenField(at, 'Bidirectional mount propagation is available only to privileged containers')];
  }
  return [];
}

export function validateVolumeDevices(
  container: Container,
  volumeNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const devicePaths = new Set<string>();
  return (container.volumeDevices ?? []).flatMap(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`;
    const errors = requiredText(name, `${at}.name`);
    if (name && !volumeNames.has(name)) errors.push(notFoundField(`${at}.name`, name));
    if (!devicePath) errors.push(required(`${at}.devicePath`));
    else errors.push(...noBacksteps(devicePath, `${at}.devicePath`));
    if (devicePaths.has(devicePath)) {
      errors.push(invalidValue(`${at}.devicePath`, devicePath, 'must be unique'));
    }
    devicePaths.add(devicePath);
    return errors;
  });
}
