// The choice of a pod network that collides with nothing on this machine. Pure; cluster/ remembers what was chosen.
import type { PodNetwork } from '../../api/pod-network.ts';

/** What the machine uses already. */
export interface MachineNetwork {
  /** Addresses and routes in CIDR notation; those of IPv6 are passed over, and so is the default route. */
  ranges: readonly string[];
  /** Names of network interfaces. */
  interfaces: readonly string[];
}

/** Room for 4,093 pods. */
const PREFIX_LENGTH = 20;
/** Where to look, in this order: what Kubernetes installations use for pods, then the other private ranges. */
const CANDIDATE_RANGES = ['10.244.0.0/14', '10.128.0.0/9', '172.16.0.0/12', '10.0.0.0/9', '192.168.0.0/16'];

interface Range {
  first: number;
  last: number;
}

/**
 * Chooses a bridge name and a range of addresses.
 * @throws Error if every private range is in use.
 */
export function choosePodNetwork(machine: MachineNetwork): PodNetwork {
  const used = machine.ranges.map(parseRange).filter((range) => range !== undefined);
  const bridge = freeName(new Set(machine.interfaces));
  for (const candidate of CANDIDATE_RANGES) {
    const whole = parseRange(candidate);
    if (!whole) continue;
    const size = 2 ** (32 - PREFIX_LENGTH);
    for (let first = whole.first; first + size - 1 <= whole.last; first += size) {
      const last = first + size - 1;
      if (used.some((other) => first <= other.last && other.first <= last)) continue;
      return { bridge, cidr: `${formatAddress(first)}/${PREFIX_LENGTH}`, gateway: formatAddress(first + 1) };
    }
  }
  throw new Error(
    'no private range of 4,096 addresses is free for pods: every one overlaps an address or a route of this machine',
  );
}

function freeName(taken: ReadonlySet<string>): string {
  let number = 0;
  while (taken.has(`stead${number}`)) number++;
  return `stead${number}`;
}

/** Undefined for IPv6, and for the default route, which overlaps everything and means nothing. */
function parseRange(cidr: string): Range | undefined {
  const [address = '', lengthText = '32'] = cidr.split('/');
  const parts = address.split('.').map(Number);
  const length = Number(lengthText);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || length === 0)
    return undefined;
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - length);
  const first = value - (value % size);
  return { first, last: first + size - 1 };
}

function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
