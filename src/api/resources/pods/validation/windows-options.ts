// Rules of what only Windows has: its security options and host processes (pkg/apis/core/validation,
// validateWindowsSecurityContextOptions, validateWindowsHostProcessPod). No node here runs Windows.
import { type FieldError, invalidValue } from '../../../errors.ts';
import type { Container, PodSpec, WindowsSecurityContextOptions } from '../../../generated/types.ts';
import { optionalSubdomain } from '../../../validation/field-rules.ts';
import { eachContainer } from './all-containers.ts';

const MAX_SPEC_KIB = 64;
const MAX_DOMAIN = 256;
const MAX_USER = 104;
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const DNS = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the rule is about.
const CONTROL = /[\x00-\x1f\x7f]/;
const BAD_CHARACTERS = /["/\\:;|=,+*?<>@[\]]/;

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: string,
): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  const errors = optionalSubdomain(gmsaCredentialSpecName, `${path}.gmsaCredentialSpecName`);
  if (gmsaCredentialSpec !== undefined) {
    const why =
      gmsaCredentialSpec === ''
        ? 'gmsaCredentialSpec cannot be an empty string'
        : Buffer.byteLength(gmsaCredentialSpec) > MAX_SPEC_KIB * 1024
          ? `gmsaCredentialSpec size must be under ${MAX_SPEC_KIB} KiB`
          : '';
    if (why) errors.push(invalidValue(`${path}.gmsaCredentialSpec`, gmsaCredentialSpec, why));
  }
  if (runAsUserName !== undefined) {
    for (const why of userNameReasons(runAsUserName)) {
      errors.push(invalidValue(`${path}.runAsUserName`, runAsUserName, why));
    }
  }
  return errors;
}

/** `DOMAIN\USER`, or only the user. */
function userNameReasons(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (CONTROL.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? parts[0] : undefined;
  const reasons: string[] = [];
  if ((domain ?? '').length >= MAX_DOMAIN) {
    reasons.push(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`);
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS.test(domain)) {
    reasons.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') reasons.push("runAsUserName's User cannot be empty");
  else if (user.length > MAX_USER) {
    reasons.push(`runAsUserName's User length must not be longer than ${MAX_USER} characters`);
  }
  if (/^[. ]+$/.test(user)) reasons.push("runAsUserName's User cannot contain only periods or spaces");
  if (BAD_CHARACTERS.test(user)) {
    reasons.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return reasons;
}

function anyOnHost({ containers, initContainers }: PodSpec): boolean {
  const onHost = ({ securityContext }: Container): boolean =>
    securityContext?.windowsOptions?.hostProcess !== undefined;
  return (containers ?? []).some(onHost) || (initContainers ?? []).some(onHost);
}

/** Either all containers are processes of the host, or none is. */
export function validateHostProcess(spec: PodSpec, path: string): FieldError[] {
  const whole = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  if (whole === undefined && !anyOnHost(spec)) return errors;
  let count = 0;
  let onHost = 0;
  for (const [{ securityContext }, at] of eachContainer(spec, path)) {
    const own = securityContext?.windowsOptions?.hostProcess;
    count++;
    if (whole !== undefined && own !== undefined && whole !== own) {
      const why = `pod hostProcess value must be identical if both are specified, was ${whole}`;
      errors.push(invalidValue(`${at}.securityContext.windowsOptions.hostProcess`, own, why));
    }
    if (own ?? whole) onHost++;
  }
  if (onHost === 0) return errors;
  if (onHost !== count) {
    const why =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalidValue(path, '', why));
  }
  if (spec.hostNetwork !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalidValue(`${path}.hostNetwork`, false, why));
  }
  return errors;
}
