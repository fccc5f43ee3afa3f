// Rules of seccomp and AppArmor profiles, as fields and as the annotations that they once were (pkg/apis/core/
// validation, validateSeccompProfileField, ValidateAppArmorProfileField, validateSeccompAnnotationsAndFields).
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../../errors.ts';
import type { AppArmorProfile, ObjectMeta, PodSpec, SeccompProfile } from '../../../generated/types.ts';
import { descendingPath } from '../../../validation/paths.ts';
import { eachContainer } from './all-containers.ts';

const TYPES: readonly string[] = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const MAX_PROFILE = 4095;
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
export const APP_ARMOR_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';
const LOCALHOST = 'localhost/';

type Profile = SeccompProfile | AppArmorProfile;
type Annotations = Readonly<Record<string, string>>;

export function validateSeccompProfile(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, TYPES));
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.push(invalidValue(at, profile, 'can only be set when seccomp type is Localhost'));
    }
  } else if (localhostProfile === undefined) {
    errors.push(required(at, 'must be set when seccomp type is Localhost'));
  } else errors.push(...descendingPath(localhostProfile, at));
  return errors;
}

export function validateAppArmorProfile(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (!type) return [required(`${path}.type`, 'type is required when appArmorProfile is set')];
  if (!TYPES.includes(type)) return [notSupported(`${path}.type`, type, TYPES)];
  if (type !== 'Localhost') {
    if (localhostProfile === undefined) return [];
    return [invalidValue(at, localhostProfile, 'can only be set when AppArmor type is Localhost')];
  }
  if (!localhostProfile) return [required(at, 'must be set when AppArmor type is Localhost')];
  const errors: FieldError[] = [];
  if (localhostProfile !== localhostProfile.trim()) {
    errors.push(invalidValue(at, localhostProfile, 'must not be padded with whitespace'));
  }
  if (localhostProfile.length > MAX_PROFILE) errors.push(tooLong(at, MAX_PROFILE));
  return errors;
}

/** What the annotations for profiles may say, in themselves. */
export function validateProfileAnnotations(
  annotations: Annotations,
  spec: PodSpec,
  path: string,
): FieldError[] {
  return Object.entries(annotations).flatMap(([key, profile]) => {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) {
      return seccompText(profile, `${path}.${key}`);
    }
    if (!key.startsWith(APP_ARMOR_CONTAINER)) return [];
    const at = `${path}[${key}]`;
    const name = key.slice(APP_ARMOR_CONTAINER.length);
    const errors = eachContainer(spec, '').some(([container]) => container.name === name)
      ? []
      : [invalidValue(at, name, 'container not found')];
    if (!['', 'runtime/default', 'unconfined'].includes(profile) && !profile.startsWith(LOCALHOST)) {
      errors.push(invalidValue(at, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
    }
    return errors;
  });
}

function seccompText(profile: string, path: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (profile.startsWith(LOCALHOST)) return descendingPath(profile.slice(LOCALHOST.length), path);
  return [invalidValue(path, profile, 'must be a valid seccomp profile')];
}

/** Where a field and its old annotation are both set, they say the same. */
export function validateProfilesAgree(
  { annotations }: ObjectMeta,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (!annotations || !Object.keys(annotations).some(isOfProfile)) return [];
  const errors: FieldError[] = [];
  const agree = (
    profile: Profile | undefined,
    key: string,
    kind: 'seccomp' | 'apparmor',
    at: string,
  ): void => {
    const annotation = annotations[key];
    if (profile && annotation !== undefined) errors.push(...compare(profile, annotation, kind, at));
  };
  const whole = spec.securityContext;
  agree(whole?.seccompProfile, SECCOMP_POD, 'seccomp', `${path}.securityContext.seccompProfile`);
  for (const [{ name, securityContext: own }, at] of eachContainer(spec, path)) {
    const context = `${at}.securityContext`;
    agree(own?.seccompProfile, `${SECCOMP_CONTAINER}${name}`, 'seccomp', `${context}.seccompProfile`);
    if (spec.os?.name === 'windows') continue;
    const appArmor = own?.appArmorProfile ?? whole?.appArmorProfile;
    agree(appArmor, `${APP_ARMOR_CONTAINER}${name}`, 'apparmor', `${context}.appArmorProfile`);
  }
  return errors;
}

function isOfProfile(key: string): boolean {
  return key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER) || key.startsWith(APP_ARMOR_CONTAINER);
}

function compare(profile: Profile, text: string, kind: string, path: string): FieldError[] {
  const sameType =
    profile.type === 'Unconfined'
      ? text === 'unconfined'
      : profile.type === 'RuntimeDefault'
        ? text === 'runtime/default' || (kind === 'seccomp' && text === 'docker/default')
        : text.startsWith(LOCALHOST);
  if (!sameType) return [forbiddenField(`${path}.type`, `${kind} type in annotation and field must match`)];
  if (profile.type !== 'Localhost' || text.slice(LOCALHOST.length) === profile.localhostProfile) return [];
  const reason = `${kind} profile in annotation and field must match`;
  return [forbiddenField(`${path}.localhostProfile`, reason)];
}
