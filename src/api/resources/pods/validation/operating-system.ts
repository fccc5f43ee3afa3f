// Rules of a pod that names its operating system: nothing in it that only the other one has (pkg/apis/core/
// validation, validateOS, validateLinux, validateWindows).
import { type FieldError, forbiddenField, notSupported, required } from '../../../errors.ts';
import type { PodSecurityContext, PodSpec, SecurityContext } from '../../../generated/types.ts';
import { eachContainer } from './all-containers.ts';

const SYSTEMS: readonly string[] = ['linux', 'windows'];
const ONLY_LINUX_PODS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const satisfies readonly (keyof PodSecurityContext)[];
const ONLY_LINUX_SPECS = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
const ONLY_LINUX_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const satisfies readonly (keyof SecurityContext)[];
const NOT_WINDOWS = 'cannot be set for a windows pod';
const NOT_LINUX = 'windows options cannot be set for a linux pod';

export function validateOperatingSystem(spec: PodSpec, path: string): FieldError[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${path}.os.name`, 'cannot be empty')];
  if (!SYSTEMS.includes(name)) return [notSupported(`${path}.os`, name, SYSTEMS)];
  return name === 'linux' ? validateLinux(spec, path) : validateWindows(spec, path);
}

function validateLinux(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (context: { windowsOptions?: unknown } | undefined, at: string): void => {
    if (context?.windowsOptions)
      errors.push(forbiddenField(`${at}.securityContext.windowsOptions`, NOT_LINUX));
  };
  check(spec.securityContext, path);
  for (const [container, at] of eachContainer(spec, path)) check(container.securityContext, at);
  return errors;
}

function validateWindows(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ONLY_LINUX_PODS) {
    if (spec.securityContext?.[field] === undefined) continue;
    errors.push(forbiddenField(`${path}.securityContext.${field}`, NOT_WINDOWS));
  }
  for (const field of ONLY_LINUX_SPECS) {
    // What the node shares is said by true; the others by being there at all.
    const said = field === 'hostPID' || field === 'hostIPC' ? spec[field] : spec[field] !== undefined;
    if (said) errors.push(forbiddenField(`${path}.${field}`, NOT_WINDOWS));
  }
  for (const [{ securityContext }, at] of eachContainer(spec, path)) {
    for (const field of ONLY_LINUX_CONTAINERS) {
      if (securityContext?.[field] === undefined) continue;
      errors.push(forbiddenField(`${at}.securityContext.${field}`, NOT_WINDOWS));
    }
  }
  return errors;
}
