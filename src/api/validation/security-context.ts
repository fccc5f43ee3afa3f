// Rules of security contexts of pods and containers (pkg/apis/core/validation, ValidateSecurityContext,
// validatePodSpecSecurityContext).
import { type FieldError, invalidValue, required } from '../errors.ts';
import type { PodSecurityContext, SeccompProfile, SecurityContext } from '../generated/types.ts';
import { oneOf, optionalOneOf, requiredText } from './field-rules.ts';

const MAX_ID = 2 ** 31 - 1;

/** A user's or group's number. */
function validateId(id: number | undefined, path: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= MAX_ID)) return [];
  return [invalidValue(path, id, `must be between 0 and ${MAX_ID}, inclusive`)];
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const errors = oneOf(profile.type, `${path}.type`, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) {
      errors.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    }
  } else if (profile.localhostProfile !== undefined) {
    const reason = 'can only be set when seccomp type is Localhost';
    errors.push(invalidValue(`${path}.localhostProfile`, profile, reason));
  }
  return errors;
}

export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  path: string,
): FieldError[] {
  if (context === undefined) return [];
  const sysctls = new Set<string>();
  return [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((group, index) =>
      validateId(group, `${path}.supplementalGroups[${index}]`),
    ),
    ...(context.sysctls ?? []).flatMap(({ name }, index) => {
      const again = sysctls.has(name);
      sysctls.add(name);
      const field = `${path}.sysctls[${index}].name`;
      return again ? [invalidValue(field, name, 'must be unique')] : requiredText(name, field);
    }),
    ...optionalOneOf(context.fsGroupChangePolicy, `${path}.fsGroupChangePolicy`, [
      'Always',
      'OnRootMismatch',
    ]),
    ...optionalOneOf(context.supplementalGroupsPolicy, `${path}.supplementalGroupsPolicy`, [
      'Merge',
      'Strict',
    ]),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
  ];
}

export function validateSecurityContext(context: SecurityContext | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors: FieldError[] = [];
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
  return [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...optionalOneOf(context.procMount, `${path}.procMount`, ['Default', 'Unmasked']),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...errors,
  ];
}
