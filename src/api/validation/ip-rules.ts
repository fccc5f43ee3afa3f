// Rules of IP addresses and ranges of them (apimachinery pkg/util/validation/ip.go, and ValidateNonSpecialIP of
// pkg/apis/core/validation). Addresses must be unambiguous: no leading zeros, no IPv4 written as IPv6.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { formatIp, isMappedIPv4, parseIp, parseIpRange } from '../../base/ip.ts';
import { type FieldError, invalidValue } from '../errors.ts';
import { checked } from './field-rules.ts';

const ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const RANGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const PADDED = /^\d{1,6}(\.\d{1,6}){3}$/;

/** Addresses that lead nowhere from another host: first the sentence's end, then the addresses. */
const SPECIAL: readonly (readonly [why: string, addresses: BlockList])[] = [
  [
    'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    blocks(['169.254.0.0', 16], ['fe80::', 10]),
  ],
  [
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    blocks(['224.0.0.0', 24], ['ff02::', 16]),
  ],
];
const LOOPBACK = blocks(['127.0.0.0', 8], ['::1', 128]);
const UNSPECIFIED = blocks(['0.0.0.0', 32], ['::', 128]);

function blocks(...subnets: readonly (readonly [address: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of subnets) list.addSubnet(address, bits, isIPv4(address) ? 'ipv4' : 'ipv6');
  return list;
}

function isPadded(text: string): boolean {
  return PADDED.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

/** What is wrong with an address, if anything. */
export const ipAddress = (value: string, path: string): FieldError[] => checked(value, path, reasonsAgainst);

function reasonsAgainst(value: string): string[] {
  if (isIPv4(value)) return [];
  const ip = parseIp(value);
  if (!ip) return [isPadded(value) ? 'must not have leading 0s' : ADDRESS];
  return isMappedIPv4(ip) ? ['must not be an IPv4-mapped IPv6 address'] : [];
}

/** Why a text is no address in the one form that there is for it (IsValidIP): of the name of an object, say. */
export function canonicalAddress(value: string): string[] {
  const reasons = reasonsAgainst(value);
  const ip = parseIp(value);
  return reasons.length > 0 || !ip ? reasons : notCanonical(value, formatIp(ip));
}

const notCanonical = (value: string, form: string): string[] =>
  value === form ? [] : [`must be in canonical form (${JSON.stringify(form)})`];

/** An address that other hosts can reach. One of the machine's own is let through: a machine that is alone has no other. */
export function reachableAddress(value: string, path: string): FieldError[] {
  const errors = ipAddress(value, path);
  if (errors.length > 0) return errors;
  const family = isIPv4(value) ? 'ipv4' : 'ipv6';
  if (UNSPECIFIED.check(value, family)) {
    return [invalidValue(path, value, `may not be unspecified (${value})`)];
  }
  return SPECIAL.flatMap(([why, addresses]) =>
    addresses.check(value, family) ? [invalidValue(path, value, why)] : [],
  );
}

/**
 * An address that a Service may take for itself. Never one of loopback: its rules hold for what the machine says to itself, too,
 * and would lead that away from whoever listens there, the API first of all.
 */
export function externalAddress(value: string, path: string): FieldError[] {
  const errors = reachableAddress(value, path);
  if (errors.length > 0 || !LOOPBACK.check(value, isIPv4(value) ? 'ipv4' : 'ipv6')) return errors;
  return [invalidValue(path, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
}

/** A range of addresses: `10.9.8.0/24`, with no bit set behind the prefix. */
export function addressRange(value: string, path: string): FieldError[] {
  const [address = '', length = '', more] = value.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  if (more !== undefined || !/^\d{1,4}$/.test(length) || Number(length) > bits) {
    return [invalidValue(path, value, RANGE)];
  }
  if (isPadded(address) && !isIPv4(address)) {
    return [invalidValue(path, value, 'must not have leading 0s in IP or prefix length')];
  }
  if (isIP(address) === 0 || address.includes('%')) return [invalidValue(path, value, RANGE)];
  if (length.length > 1 && length.startsWith('0')) {
    return [invalidValue(path, value, 'must not have leading 0s in IP or prefix length')];
  }
  const ip = parseIp(address);
  if (ip && isMappedIPv4(ip)) {
    return [invalidValue(path, value, 'must not have an IPv4-mapped IPv6 address')];
  }
  if (parseIpRange(value)?.first !== ip?.value) {
    return [invalidValue(path, value, 'must not have bits set beyond the prefix length')];
  }
  return [];
}

/** A range in the one form that there is for it: what newer fields ask for (IsValidCIDR). */
export function canonicalRange(value: string, path: string): FieldError[] {
  const errors = addressRange(value, path);
  const range = parseIpRange(value);
  return errors.length > 0 || !range ? errors : checked(value, path, () => notCanonical(value, range.cidr));
}

/** What is said of a range that is valid, but written in a form that others may read as another (GetWarningsForCIDR). */
export function rangeWarnings(value: string, path: string): string[] {
  const range = parseIpRange(value);
  if (!range || range.family === 'IPv4' || range.cidr === value) return [];
  const [shown, form] = [JSON.stringify(value), JSON.stringify(range.cidr)];
  return [`${path}: IPv6 CIDR value ${shown} should be in RFC 5952 canonical format (${form})`];
}

/** The same of an address (GetWarningsForIP). */
export function addressWarnings(value: string, path: string): string[] {
  const ip = parseIp(value);
  if (!ip || ip.family === 'IPv4' || formatIp(ip) === value) return [];
  const [shown, form] = [JSON.stringify(value), JSON.stringify(formatIp(ip))];
  return [`${path}: IPv6 address ${shown} should be in RFC 5952 canonical format (${form})`];
}

/** Whether there is one address of each family: what two addresses of one thing may be. */
export function isDualStack(addresses: readonly string[]): boolean {
  return addresses.some((address) => isIPv4(address)) && addresses.some((address) => isIPv6(address));
}
