// Names that spell an address: reverse names (in-addr.arpa, ip6.arpa) and those of pods. Pure, and only text: who has the
// address is not known here.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const REVERSE_IPV4 = '.in-addr.arpa';
const REVERSE_IPV6 = '.ip6.arpa';
const NIBBLES = 32;

/** An address in the one form in which two that are equal are equal as text: `fd00:0::1` → `fd00::1`. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** Whether names of this ending are of addresses, read from behind. */
export function isReverseName(name: string): boolean {
  return name.endsWith(REVERSE_IPV4) || name.endsWith(REVERSE_IPV6);
}

/** `7.0.96.10.in-addr.arpa` → `10.96.0.7`; undefined for what spells no whole address. @param name in lower case. */
export function reverseNameAddress(name: string): string | undefined {
  if (name.endsWith(REVERSE_IPV4)) {
    const address = name.slice(0, -REVERSE_IPV4.length).split('.').reverse().join('.');
    return isIPv4(address) ? address : undefined;
  }
  const nibbles = name.slice(0, -REVERSE_IPV6.length).split('.').reverse();
  if (nibbles.length !== NIBBLES || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  const groups = nibbles.join('').match(/.{4}/g) ?? [];
  return canonicalAddress(groups.join(':'));
}

/** `10-244-0-7` → `10.244.0.7`, `fd00--7` → `fd00::7`; undefined for a label that spells no address. */
export function podLabelAddress(label: string): string | undefined {
  const dotted = label.replaceAll('-', '.');
  if (isIPv4(dotted)) return dotted;
  const colons = label.replaceAll('-', ':');
  return isIPv6(colons) ? canonicalAddress(colons) : undefined;
}
