// Who may ask: pods and this machine. Everybody else is nobody's business, and a resolver that answers the world is a weapon.
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { includesIp, parseIp, parseIpRange } from '../../base/ip.ts';
import { canonicalAddress } from './address-names.ts';

/** Of so many it is remembered that they may ask. */
const MOST_KNOWN = 8_192;
/** How old the list of the machine's own addresses may be, in milliseconds. */
const LIST_MS = 1_000;

/**
 * Says of an address whether it may ask.
 * @param podRanges the pods' addresses, in CIDR notation; none where only this machine asks.
 * @throws Error for what is no range.
 */
export function askersOf(
  podRanges: readonly string[],
  clock: Clock,
  addressesOfMachine: () => readonly string[] = machineAddresses,
): (address: string) => boolean {
  const ranges = podRanges.map((cidr) => {
    const range = parseIpRange(cidr);
    if (!range) throw new Error(`${cidr} is no range of addresses`);
    return range;
  });
  let own: ReadonlySet<string> = new Set();
  let listedAtMs = Number.NEGATIVE_INFINITY;
  const isOwn = (address: string): boolean => {
    if (own.has(address)) return true;
    // Addresses come; that one has gone is said by the kernel, which takes no answer to it from outside.
    if (clock.now() < listedAtMs + LIST_MS) return false;
    listedAtMs = clock.now();
    own = new Set(addressesOfMachine());
    return own.has(address);
  };
  const isPodOrLoopback = (address: string): boolean => {
    const ip = parseIp(address);
    if (ip && ranges.some((range) => includesIp(range, ip))) return true;
    return address.startsWith('127.') || address === '::1';
  };
  const known = new Set<string>();
  return (address) => {
    if (known.has(address)) return true;
    if (!isPodOrLoopback(address)) return isOwn(address);
    if (known.size >= MOST_KNOWN) known.clear();
    known.add(address);
    return true;
  };
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => canonicalAddress(address)),
  );
}
