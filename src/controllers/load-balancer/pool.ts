// Out of what Services of type LoadBalancer are given their addresses.
import { formatIPv4, parseIPv4, parseIPv4Range } from '../../base/ipv4.ts';

/** The machine's own addresses, which all share by their ports; a range, each address to one; or nothing, others do it. */
export type AddressPool = { type: 'machine' } | AddressRange | { type: 'none' };

export interface AddressRange {
  type: 'range';
  /** As it was written. */
  text: string;
  /** Both are given out; as numbers. */
  first: number;
  last: number;
}

/**
 * Reads `192.0.2.0/28` (without the network's own address and that of broadcasts) or `192.0.2.10-192.0.2.20`.
 * @returns undefined for what is neither.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [from = '', to, more] = text.split('-');
  if (to !== undefined) {
    const [first, last] = [parseIPv4(from), parseIPv4(to)];
    if (first === undefined || last === undefined || more !== undefined || first > last) return undefined;
    return { type: 'range', text, first, last };
  }
  const range = text.includes('/') ? parseIPv4Range(text) : undefined;
  if (!range) return undefined;
  const edge = range.last - range.first < 2 ? 0 : 1;
  return { type: 'range', text, first: range.first + edge, last: range.last - edge };
}

/** Whether an address is one of the range. */
export function isInRange(address: string, { first, last }: AddressRange): boolean {
  const number = parseIPv4(address);
  return number !== undefined && number >= first && number <= last;
}

/** The lowest address that nobody has; undefined if there is none. */
export function lowestFree(
  { first, last }: AddressRange,
  isTaken: (address: string) => boolean,
): string | undefined {
  for (let number = first; number <= last; number++) {
    const address = formatIPv4(number);
    if (!isTaken(address)) return address;
  }
  return undefined;
}
