// The two kinds of addresses as the rules of Services spell them.
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { AddressType } from '../../api/service-endpoints.ts';

export interface Family {
  name: AddressType;
  /** What nft calls the header. */
  ip: 'ip' | 'ip6';
  /** What nft calls an address. */
  address: 'ipv4_addr' | 'ipv6_addr';
  /** At the end of names of sets and chains that both families have. */
  suffix: '' | '6';
  loopback: string;
  /** A range's addresses are this many bits long. */
  bits: 32 | 128;
}

export const IPV4: Family = {
  name: 'IPv4',
  ip: 'ip',
  address: 'ipv4_addr',
  suffix: '',
  loopback: '127.0.0.0/8',
  bits: 32,
};

export const IPV6: Family = {
  name: 'IPv6',
  ip: 'ip6',
  address: 'ipv6_addr',
  suffix: '6',
  loopback: '::1',
  bits: 128,
};

/** Those of the family, spelled as nft spells them: each address in one way. What is no address is passed over. */
export function addressesOfFamily(family: Family, addresses: readonly (string | undefined)[]): string[] {
  return addresses.flatMap((address = '') => {
    if (family === IPV4) return isIPv4(address) ? [address] : [];
    if (!isIPv6(address) || address.includes('%')) return [];
    return [new URL(`http://[${address}]`).hostname.slice(1, -1)];
  });
}

/** The ranges of the family, in CIDR notation. */
export function rangesOfFamily(family: Family, ranges: readonly string[]): string[] {
  return ranges.flatMap((range) => {
    const [text, bits = ''] = range.trim().split('/');
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > family.bits) return [];
    return addressesOfFamily(family, [text]).map((address) => `${address}/${Number(bits)}`);
  });
}

/** Whether a range of `rangesOfFamily` has the address. */
export function isWithin(range: string, address: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6');
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
