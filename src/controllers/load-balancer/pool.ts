// Out of what Services of type LoadBalancer are given their addresses.
import { formatIp, type Ip, type IpFamily, parseIp, parseIpRange } from '../../base/ip.ts';

/** The machine's own addresses, which all share by their ports; a range, each address to one; or nothing, others do it. */
export type AddressPool = { type: 'machine' } | AddressRange | { type: 'none' };

export interface AddressRange {
  type: 'range';
  /** As it was written. */
  text: string;
  family: IpFamily;
  /** Both are given out; as numbers. */
  first: bigint;
  last: bigint;
}

/**
 * Reads `192.0.2.0/28` (without the network's own address and that of broadcasts) or `192.0.2.10-192.0.2.20`, or the same of
 * IPv6.
 * @returns undefined for what is neither.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [from = '', to, more] = text.split('-');
  if (to !== undefined) {
    const [first, last] = [parseIp(from), parseIp(to)];
    if (!first || !last || more !== undefined || first.family !== last.family) return undefined;
    const { family } = first;
    return first.value > last.value
      ? undefined
      : { type: 'range', text, family, first: first.value, last: last.value };
  }
  const range = parseIpRange(text);
  if (!range) return undefined;
  const { family, first, last } = range;
  const edge = last - first < 2n ? 0n : 1n;
  return { type: 'range', text, family, first: first + edge, last: last - edge };
}

/** Whether an address is one of the range. */
export function isInRange(address: string, range: AddressRange): boolean {
  const ip = parseIp(address);
  return ip !== undefined && contains(range, ip);
}

const contains = ({ family, first, last }: AddressRange, ip: Ip): boolean =>
  ip.family === family && ip.value >= first && ip.value <= last;

/** The lowest address that nobody has; undefined if there is none. */
export function lowestFree(
  { family, first, last }: AddressRange,
  isTaken: (address: string) => boolean,
): string | undefined {
  for (let value = first; value <= last; value++) {
    const address = formatIp({ family, value });
    if (!isTaken(address)) return address;
  }
  return undefined;
}
