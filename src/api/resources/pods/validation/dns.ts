// Rules of a pod's own DNS configuration (pkg/apis/core/validation, validatePodDNSConfig); the limits are those of
// the C library that reads it.
import { type FieldError, invalidValue, required } from '../../../errors.ts';
import type { PodDNSConfig } from '../../../generated/types.ts';
import { underscoreSubdomain } from '../../../names.ts';
import { checked } from '../../../validation/field-rules.ts';
import { ipAddress } from '../../../validation/ip-rules.ts';

const MAX_NAMESERVERS = 3;
const MAX_SEARCH_DOMAINS = 32;
const MAX_SEARCH_CHARACTERS = 2048;

export function validateDnsConfig(
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
): FieldError[] {
  if (policy === 'None') {
    if (!config) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (!config.nameservers?.length) {
      const reason = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [required(`${path}.nameservers`, reason)];
    }
  }
  if (!config) return [];
  const { nameservers = [], searches = [], options = [] } = config;
  const errors: FieldError[] = [];
  if (nameservers.length > MAX_NAMESERVERS) {
    const reason = `must not have more than ${MAX_NAMESERVERS} nameservers`;
    errors.push(invalidValue(`${path}.nameservers`, nameservers, reason));
  }
  for (const [index, address] of nameservers.entries()) {
    errors.push(...ipAddress(address, `${path}.nameservers[${index}]`));
  }
  if (searches.length > MAX_SEARCH_DOMAINS) {
    const reason = `must not have more than ${MAX_SEARCH_DOMAINS} search paths`;
    errors.push(invalidValue(`${path}.searches`, searches, reason));
  }
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    const reason = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`;
    errors.push(invalidValue(`${path}.searches`, searches, reason));
  }
  for (const [index, domain] of searches.entries()) {
    // A lone dot is the root, and a trailing one says "from the root".
    if (domain === '.') continue;
    const name = domain.endsWith('.') ? domain.slice(0, -1) : domain;
    errors.push(...checked(name, `${path}.searches[${index}]`, underscoreSubdomain));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.push(required(`${path}.options[${index}]`, 'must not be empty'));
  }
  return errors;
}
