// The choice of a pod network that collides with nothing on this machine. Pure; cluster/ remembers what was chosen.
import type { PodNetwork, PodRange } from '../../api/between/pod-network.ts';
import type { Random } from '../../base/clock.ts';
import { addressAt, formatIp, type IpRange, overlap, parseIpOrRange, parseIpRange } from '../../base/ip.ts';
import { uniqueLocalRange } from './unique-local.ts';

/** What the machine uses already. */
export interface MachineNetwork {
  ranges: readonly UsedRange[];
  interfaces: readonly NetworkInterface[];
}

/** An address or a route. */
export interface UsedRange {
  /** Default routes are passed over. */
  cidr: string;
  /** The network interface that it is on or leads to, if any. */
  on?: string | undefined;
}

export interface NetworkInterface {
  name: string;
  /** On a bridge of a stead: whose it is. */
  alias?: string | undefined;
}

/** Room for 4,093 pods. */
const PREFIX_LENGTH = 20;
const SIZE = 2n ** BigInt(32 - PREFIX_LENGTH);
/** What a network of IPv6 has. */
const IPV6_PREFIX_LENGTH = 64;
/** Where to look, in this order: what Kubernetes installations use for pods, then the other private ranges. */
const CANDIDATE_RANGES = ['10.244.0.0/14', '10.128.0.0/9', '172.16.0.0/12', '10.0.0.0/9', '192.168.0.0/16'];

/**
 * The network that a stead keeps to, or another when somebody has taken its own since: after a reboot no bridge says any
 * more whose a network was.
 * @param known the one that it chose before.
 * @param owner the alias of its own bridge.
 * @param reserved ranges that are not to be chosen, in CIDR notation.
 * @throws Error if every private range is in use.
 */
export function keepOrChoosePodNetwork(
  known: PodNetwork | undefined,
  machine: MachineNetwork,
  owner: string,
  reserved: readonly string[],
): PodNetwork {
  if (known && isStillOurs(known, machine, owner, reserved)) return known;
  return choosePodNetwork({
    ...machine,
    ranges: [...machine.ranges, ...reserved.map((cidr) => ({ cidr }))],
  });
}

function isStillOurs(
  known: PodNetwork,
  machine: MachineNetwork,
  owner: string,
  reserved: readonly string[],
): boolean {
  const bridge = machine.interfaces.find(({ name }) => name === known.bridge);
  if (!bridge) {
    const others = [...machine.ranges.map(({ cidr }) => cidr), ...reserved];
    return !others.some((cidr) => isShared(cidr, known.cidr));
  }
  return isOwnBridge(bridge, known, machine, owner);
}

/** Whether the bridge of this name is this stead's own, and not one that another has made since. */
export function isOwnBridge(
  bridge: NetworkInterface,
  { gateway }: PodNetwork,
  machine: MachineNetwork,
  owner: string,
): boolean {
  if (bridge.alias) return bridge.alias === owner;
  // Earlier versions wrote no alias: pods may hang on it.
  return machine.ranges.some(({ cidr, on }) => on === bridge.name && cidr.startsWith(`${gateway}/`));
}

/** What of the machine lies within a range or around it: the first address or route, in CIDR notation. */
export function useOf(range: string, machine: MachineNetwork): string | undefined {
  return machine.ranges.find(({ cidr }) => isShared(cidr, range))?.cidr;
}

function isShared(one: string, other: string): boolean {
  const [a, b] = [parseRange(one), parseRange(other)];
  return a !== undefined && b !== undefined && overlap(a, b);
}

/**
 * Chooses a bridge name and a range of addresses.
 * @throws Error if every private range is in use.
 */
export function choosePodNetwork(machine: MachineNetwork): PodNetwork {
  const used = machine.ranges.flatMap(({ cidr }) => parseRange(cidr) ?? []);
  const bridge = freeName(new Set(machine.interfaces.map(({ name }) => name)));
  for (const candidate of CANDIDATE_RANGES) {
    const whole = parseRange(candidate);
    if (!whole) continue;
    for (let value = whole.first; value < whole.last; value += SIZE) {
      const range = parseIpRange(`${formatIp({ family: 'IPv4', value })}/${PREFIX_LENGTH}`);
      if (range && !used.some((other) => overlap(other, range))) return { bridge, ...podRange(range) };
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

/** Undefined for the default route, which overlaps everything and means nothing. */
const parseRange = (cidr: string): IpRange | undefined =>
  cidr.endsWith('/0') ? undefined : parseIpOrRange(cidr);

/** A range as pods have it. */
const podRange = (range: IpRange): PodRange => ({ cidr: range.cidr, gateway: addressAt(range, 1) });

/**
 * The range of IPv6 that pods have beside the network's own: as it is known, unless somebody else uses it, or a new one.
 * @param isKept whether the network, with the bridge, is still as it was.
 */
export function keepOrChooseIPv6(
  known: PodRange | undefined,
  isKept: boolean,
  machine: MachineNetwork,
  random: Random,
): PodRange {
  if (known && (isKept || useOf(known.cidr, machine) === undefined)) return known;
  const isFree = ({ cidr }: IpRange): boolean => useOf(cidr, machine) === undefined;
  return podRange(uniqueLocalRange(random, IPV6_PREFIX_LENGTH, isFree));
}
