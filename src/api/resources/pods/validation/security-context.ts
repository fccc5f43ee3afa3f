// Rules of security contexts of pods and containers (pkg/apis/core/validation, ValidateSecurityContext,
// validatePodSpecSecurityContext). Profiles and options for Windows stand beside.
import { duplicate, type FieldError, invalidValue, required } from '../../../errors.ts';
import type { PodSecurityContext, PodSpec, SecurityContext } from '../../../generated/types.ts';
import { optionalOneOf } from '../../../validation/field-rules.ts';
import { validateAppArmorProfile, validateSeccompProfile } from './profiles.ts';
import { validateWindowsOptions } from './windows-options.ts';

const MAX_ID = 2 ** 31 - 1;
const MAX_SYSCTL = 253;
const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const sysctlPattern = new RegExp(SYSCTL);
const CHANGE_POLICIES: readonly string[] = ['Always', 'OnRootMismatch'];
const GROUP_POLICIES: readonly string[] = ['Merge', 'Strict'];
const SELINUX_POLICIES: readonly string[] = ['MountOption', 'Recursive'];
const PROC_MOUNTS: readonly string[] = ['Default', 'Unmasked'];

/** A user's or group's number. */
function validateId(id: number | undefined, path: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= MAX_ID)) return [];
  return [invalidValue(path, id, `must be between 0 and ${MAX_ID}, inclusive`)];
}

/** @param path that of the pod's spec: some of what it shares with the node stands beside its security context. */
export function validatePodSecurityContext(spec: PodSpec, path: string): FieldError[] {
  const { securityContext: context, shareProcessNamespace, hostPID } = spec;
  const at = `${path}.securityContext`;
  const errors = context ? validateIds(context, at) : [];
  if (shareProcessNamespace === true && hostPID === true) {
    const reason = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalidValue(`${at}.shareProcessNamespace`, true, reason));
  }
  if (!context) return errors;
  errors.push(
    ...validateSysctls(context, spec, `${at}.sysctls`),
    ...optionalOneOf(context.fsGroupChangePolicy, `${at}.fsGroupChangePolicy`, CHANGE_POLICIES),
    ...validateSeccompProfile(context.seccompProfile, `${at}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${at}.windowsOptions`),
    ...validateAppArmorProfile(context.appArmorProfile, `${at}.appArmorProfile`),
    ...optionalOneOf(context.supplementalGroupsPolicy, `${at}.supplementalGroupsPolicy`, GROUP_POLICIES),
    ...optionalOneOf(context.seLinuxChangePolicy, `${at}.seLinuxChangePolicy`, SELINUX_POLICIES),
  );
  return errors;
}

function validateIds(context: PodSecurityContext, path: string): FieldError[] {
  return [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((group, index) =>
      validateId(group, `${path}.supplementalGroups[${index}]`),
    ),
  ];
}

/** What is the node's own, a pod that shares it cannot set. */
function validateSysctls({ sysctls = [] }: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const names = new Set<string>();
  return sysctls.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(at));
    else if (name.length > MAX_SYSCTL || !sysctlPattern.test(name)) {
      const reason = `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL}`;
      errors.push(invalidValue(at, name, reason));
    } else if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC === true && isOfIpc(dotted)) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

function isOfIpc(sysctl: string): boolean {
  return /^kernel\.(shm|msg)/.test(sysctl) || sysctl === 'kernel.sem' || sysctl.startsWith('fs.mqueue.');
}

/** @param hostUsers whether the container's users are those of the node. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  hostUsers: boolean,
  path: string,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...optionalOneOf(context.procMount, `${path}.procMount`, PROC_MOUNTS),
  ];
  if (hostUsers && context.procMount === 'Unmasked') {
    const reason = '`hostUsers` must be false to use `Unmasked`';
    errors.push(invalidValue(`${path}.procMount`, context.procMount, reason));
  }
  errors.push(...validateSeccompProfile(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const reason = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(invalidValue(path, context, reason));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const reason = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalidValue(path, context, reason));
    }
  }
  errors.push(
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmorProfile(context.appArmorProfile, `${path}.appArmorProfile`),
  );
  return errors;
}
