// Addresses of both families and ranges of them, as numbers and as text in the one canonical form (RFC 5952 for IPv6).
// Who may have an address, and what is said of a bad one, stands elsewhere.
import { isIPv4, isIPv6 } from 'node:net';

export type IpFamily = 'IPv4' | 'IPv6';

export interface Ip {
  family: IpFamily;
  value: bigint;
}

/** A range of addresses of one family: a network, and how long its prefix is. */
export interface IpRange {
  family: IpFamily;
  /** The network's own address. */
  first: bigint;
  last: bigint;
  /** How many bits are the same in all of them. */
  prefix: number;
  /** The network in its canonical form. */
  cidr: string;
}

const BITS = { IPv4: 32, IPv6: 128 } as const;

/** The address in a text; undefined for what is none, such as one with leading zeros or with a zone. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return { family: 'IPv4', value: numberOfIPv4(text) };
  return isIPv6(text) && !text.includes('%') ? { family: 'IPv6', value: numberOfIPv6(text) } : undefined;
}

const numberOfIPv4 = (text: string): bigint =>
  text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);

function numberOfIPv6(text: string): bigint {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const plain = tail.includes('.') ? text.slice(0, -tail.length) + hexPairs(numberOfIPv4(tail)) : text;
  const [head = '', rest] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const gap = rest === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const hexPairs = (number: bigint): string =>
  `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;

/** Whether it is an address of IPv4 in the clothes of IPv6. */
export const isMappedIPv4 = ({ family, value }: Ip): boolean => family === 'IPv6' && value >> 32n === 0xffffn;

/** The canonical text of an address. */
export function formatIp({ family, value }: Ip): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const { at, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, at).join(':')}::${hex.slice(at + length).join(':')}`;
}

/** The first of the longest runs of zeros: what is left out. */
function longestZeros(groups: readonly bigint[]): { at: number; length: number } {
  let longest = { at: 0, length: 0 };
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === 0n) end++;
    if (end - at > longest.length) longest = { at, length: end - at };
    at = Math.max(at, end - 1);
  }
  return longest;
}

/** The range in `10.96.0.0/16` or `fd00::/108`, whose bits behind the prefix are dropped; undefined for what is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', length = '', more] = text.split('/');
  const ip = parseIp(address);
  if (!ip || more !== undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const { family } = ip;
  const prefix = Number(length);
  if (prefix > BITS[family]) return undefined;
  const free = BigInt(BITS[family] - prefix);
  const first = (ip.value >> free) << free;
  const last = first + (1n << free) - 1n;
  return { family, first, last, prefix, cidr: `${formatIp({ family, value: first })}/${prefix}` };
}

/** Whether an address lies in a range. */
export const includesIp = (range: IpRange, { family, value }: Ip): boolean =>
  range.family === family && value >= range.first && value <= range.last;

/** As `parseIpRange`; an address alone is a range of itself. */
export function parseIpOrRange(text: string): IpRange | undefined {
  const ip = parseIp(text);
  return parseIpRange(ip ? `${text}/${BITS[ip.family]}` : text);
}

/** Whether two ranges share an address. */
export const overlap = (one: IpRange, other: IpRange): boolean =>
  one.family === other.family && one.first <= other.last && other.first <= one.last;

/** The address in a range that has this place, counted from the network's own. */
export const addressAt = ({ family, first }: IpRange, place: number): string =>
  formatIp({ family, value: first + BigInt(place) });

/** Whether all of the second range lies in the first. */
export const includesRange = (range: IpRange, other: IpRange): boolean =>
  range.family === other.family && other.first >= range.first && other.last <= range.last;
