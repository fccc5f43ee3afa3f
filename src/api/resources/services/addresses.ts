// Rules of a Service's addresses in the cluster and their families, and of how they may change (pkg/apis/core/
// validation, ValidateServiceClusterIPsRelatedFields, validateUpgradeDowngradeClusterIPs and …IPFamilies).
import { isIPv6 } from 'node:net';
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../errors.ts';
import type { Service, ServiceSpec } from '../../generated/types.ts';
import { ipAddress, isDualStack } from '../../validation/ip-rules.ts';

const FAMILIES: readonly string[] = ['IPv4', 'IPv6'];
const POLICIES: readonly string[] = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const FIXED = 'may not change once set';

/** A service that has no address: its name leads to its pods. */
export function isHeadless({ clusterIPs }: ServiceSpec): boolean {
  return clusterIPs?.length === 1 && clusterIPs[0] === 'None';
}

export function validateClusterIPs(spec: ServiceSpec): FieldError[] {
  // An external name has none of all this, which is checked with its type.
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.clusterIPs';
  const errors: FieldError[] = [];
  if (clusterIP === '') {
    if (clusterIPs.length > 0) {
      errors.push(invalidValue(path, clusterIPs, 'must be empty when `clusterIP` is not specified'));
    }
  } else if (clusterIPs.length === 0) errors.push(required(path));
  else if (clusterIPs[0] !== clusterIP) {
    errors.push(invalidValue(path, clusterIPs, 'first value must match `clusterIP`'));
  }
  const seen = new Set<string>();
  for (const [index, family] of ipFamilies.entries()) {
    const at = `spec.ipFamilies[${index}]`;
    if (!FAMILIES.includes(family)) errors.push(notSupported(at, family, FAMILIES));
    if (seen.has(family)) errors.push(duplicate(at, family));
    seen.add(family);
  }
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES));
  }
  const bad = validateAddresses(clusterIPs, path);
  errors.push(...bad);
  if (clusterIPs.length > 2) errors.push(invalidValue(path, clusterIPs, 'may only hold up to 2 values'));
  if (bad.length > 0) return errors;
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs)) {
    errors.push(invalidValue(path, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (!isHeadless(spec)) errors.push(...validateFamilies(clusterIPs, ipFamilies, path));
  return errors;
}

function validateAddresses(addresses: readonly string[], path: string): FieldError[] {
  return addresses.flatMap((address, index) => {
    if (index > 0 || address !== 'None') return ipAddress(address, `${path}[${index}]`);
    if (addresses.length === 1) return [];
    return [invalidValue(path, addresses, "'None' must be the first and only value")];
  });
}

function validateFamilies(
  addresses: readonly string[],
  families: readonly string[],
  path: string,
): FieldError[] {
  return addresses.flatMap((address, index) => {
    const wanted = families[index];
    if (wanted === undefined || (wanted === 'IPv6') === isIPv6(address)) return [];
    const reason = `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``;
    return [invalidValue(`${path}[${index}]`, address, reason)];
  });
}

/** Addresses stay; a second one, or family, may come and go. */
export function validateAddressesUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const headless = isHeadless(spec);
  const wasHeadless = isHeadless(old);
  if (headless && wasHeadless) return [];
  const errors = validateListUpdate(spec, old, 'clusterIPs', 'clusterIP');
  if (headless === wasHeadless) errors.push(...validateListUpdate(spec, old, 'ipFamilies', 'ipFamily'));
  return errors;
}

function validateListUpdate(
  spec: ServiceSpec,
  old: ServiceSpec,
  field: 'clusterIPs' | 'ipFamilies',
  one: string,
): FieldError[] {
  const now = spec[field] ?? [];
  const before = old[field] ?? [];
  const path = `spec.${field}`;
  if (now.length === before.length) {
    return before.flatMap((value, index) => {
      if (now[index] === value) return [];
      return [invalidValue(`${path}[${field === 'clusterIPs' ? index : 0}]`, now, FIXED)];
    });
  }
  const errors: FieldError[] = [];
  if (now.length === 0) errors.push(invalidValue(`${path}[0]`, now, `primary ${one} can not be unset`));
  else if (before.length > 0 && now[0] !== before[0]) errors.push(invalidValue(`${path}[0]`, now, FIXED));
  if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const reason = `must be set to 'SingleStack' when releasing the secondary ${one}`;
    errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, reason));
  }
  return errors;
}
