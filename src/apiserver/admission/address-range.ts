// IPv4 addresses of a CIDR range, as numbers and as text.

export interface AddressRange {
  cidr: string;
  /** The network's own address. */
  base: number;
  /** How many addresses, network and broadcast included. */
  size: number;
}

/** Reads `10.96.0.0/16`. Throws an Error for anything but an IPv4 network of 4 addresses or more. */
export function parseRange(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/');
  const parsed = parseAddress(address);
  const prefix = Number(bits);
  if (parsed === undefined || !/^\d+$/.test(bits) || prefix > 30) {
    throw new Error(`"${cidr}" is not a usable IPv4 range for Services; give one such as 10.96.0.0/16`);
  }
  const size = 2 ** (32 - prefix);
  return { cidr, base: parsed - (parsed % size), size };
}

/** A dotted address as a number; undefined for what is none. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Whether a host may have the address: in the range, and neither the network's nor the broadcast address. */
export function isUsable({ base, size }: AddressRange, address: number): boolean {
  return address > base && address < base + size - 1;
}
