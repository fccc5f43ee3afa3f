// The rules of one policy as nft reads them. Pure. A rule of a policy is what any of its peers and any of its ports allow
// together; peers are sets that others fill with addresses, and so are ports that have names.
import { parseIpRange } from '../../base/ip.ts';
import type { Family } from '../proxy/family.ts';
import { namedPortSet, peerSet } from './names.ts';
import type { AddressBlock, Direction, Peer, Policy, PolicyPort, Rule } from './policy.ts';

/** A condition, and the only family that can meet it, if there is only one. */
interface Match {
  text: string;
  family?: Family;
}

const ANYTHING: readonly Match[] = [{ text: '' }];

/** What the policy allows in a direction, where it says something of it. */
export function rulesOfPolicy(
  { rules }: Policy,
  direction: Direction,
  families: readonly Family[],
): string[] | undefined {
  return rules.get(direction)?.flatMap((rule) => rulesOf(rule, direction, families));
}

function rulesOf({ peers, ports }: Rule, direction: Direction, families: readonly Family[]): string[] {
  const from = direction === 'ingress' ? 'saddr' : 'daddr';
  const whom = peers?.flatMap((peer) => matchesOfPeer(peer, from, families)) ?? ANYTHING;
  const what = ports ? matchesOfPorts(ports, families) : ANYTHING;
  return whom.flatMap((peer) =>
    what.flatMap((port) => {
      if (peer.family && port.family && peer.family !== port.family) return [];
      return [[peer.text, port.text, 'accept'].filter(Boolean).join(' ')];
    }),
  );
}

function matchesOfPeer(peer: Peer, field: string, families: readonly Family[]): Match[] {
  if ('block' in peer) return matchesOfBlock(peer.block, field, families);
  return families.map((family) => ({ text: `${family.ip} ${field} @${peerSet(peer.pods, family)}`, family }));
}

function matchesOfBlock({ cidr, except }: AddressBlock, field: string, families: readonly Family[]): Match[] {
  const range = parseIpRange(cidr);
  const family = families.find(({ name }) => name === range?.family);
  if (!range || !family) return [];
  const holes = except.flatMap((text) => parseIpRange(text)?.cidr ?? []);
  const all = range.prefix === 0 ? [`meta nfproto ${family.name.toLowerCase()}`] : [];
  const inside = range.prefix === 0 ? [] : [`${family.ip} ${field} ${range.cidr}`];
  return [
    {
      text: [...all, ...inside, ...holes.map((hole) => `${family.ip} ${field} != ${hole}`)].join(' '),
      family,
    },
  ];
}

function matchesOfPorts(ports: readonly PolicyPort[], families: readonly Family[]): Match[] {
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  return protocols.flatMap((protocol) => {
    const mine = ports.filter((port) => port.protocol === protocol);
    if (mine.some(({ port }) => port === undefined)) return [{ text: `meta l4proto ${protocol}` }];
    const ranges = mergedRanges(mine);
    const names = mine.flatMap(({ port }) => (typeof port === 'string' ? port : []));
    return [
      ...(ranges.length > 0 ? [{ text: `${protocol} dport { ${ranges.join(', ')} }` }] : []),
      ...names.flatMap((name) =>
        families.map((family) => ({
          text: `${family.ip} daddr . ${protocol} dport @${namedPortSet(protocol, name, family)}`,
          family,
        })),
      ),
    ];
  });
}

/** Numbers and ranges of them, so that none overlaps another: nft refuses them else. */
function mergedRanges(ports: readonly PolicyPort[]): string[] {
  const ranges = ports
    .flatMap(({ port, endPort }) => (typeof port === 'number' ? { first: port, last: endPort ?? port } : []))
    .sort((a, b) => a.first - b.first);
  const merged: Array<{ first: number; last: number }> = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
}
