// IPv4 addresses and ranges of them, as numbers and as text. IPv6 is none of these: what reads it has a library's help.

export interface IPv4Range {
  /** As it was written. */
  cidr: string;
  /** The network's own address. */
  first: number;
  /** The broadcast address. */
  last: number;
}

/** A dotted address as a number; undefined for what is none, such as one with leading zeros. */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split('.');
  const isAddress =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256);
  return isAddress ? parts.reduce((sum, part) => sum * 256 + Number(part), 0) : undefined;
}

/** The address of a number from 0 to 2³² - 1, dotted. */
export function formatIPv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Reads `10.96.0.0/16`, and an address as a range of itself; undefined for what is neither. */
export function parseIPv4Range(cidr: string): IPv4Range | undefined {
  const [text = '', bits = '32', more] = cidr.split('/');
  const address = parseIPv4(text);
  if (address === undefined || more !== undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32)
    return undefined;
  const size = 2 ** (32 - Number(bits));
  const first = address - (address % size);
  return { cidr, first, last: first + size - 1 };
}

/** Whether two ranges share an address. */
export function overlap(one: IPv4Range, other: IPv4Range): boolean {
  return one.first <= other.last && other.first <= one.last;
}
