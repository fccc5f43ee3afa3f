// A kernel for tests: what becomes of the first packet of a connection under a ruleset of policies. It knows the words that
// those rules have, and stumbles over every other.
import { BlockList, isIPv4 } from 'node:net';
import type { Ruleset } from '../nftables/ruleset.ts';

export interface Packet {
  from: string;
  to: string;
  protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
  port: number;
  /** The interfaces that it comes by and leaves by. */
  iif: string;
  oif: string;
}

type Verdict = 'accept' | 'drop';

/** Whether it passes all base chains, in the order of their priorities. */
export function passes(rules: Ruleset, packet: Packet): boolean {
  const hooked = [...rules.chains]
    .filter(([, { hook }]) => hook?.hook === 'forward')
    .sort(([, a], [, b]) => Number(a.hook?.priority) - Number(b.hook?.priority));
  return hooked.every(([name]) => runChain(rules, name, packet) !== 'drop');
}

function runChain(rules: Ruleset, name: string, packet: Packet): Verdict | undefined {
  const chain = rules.chains.get(name);
  if (!chain) throw new Error(`there is no chain ${name}`);
  for (const rule of chain.rules) {
    const found = runRule(rules, rule, packet);
    if (found.verdict) return found.verdict;
    if (found.leaves) return undefined;
  }
  return undefined;
}

/** `leaves`: the chain is not gone on with. */
function runRule(
  rules: Ruleset,
  rule: string,
  packet: Packet,
): { verdict?: Verdict | undefined; leaves?: boolean } {
  let rest = rule;
  const act = (verdict: string): { verdict?: Verdict | undefined; leaves?: boolean } => {
    if (verdict === 'accept' || verdict === 'drop') return { verdict };
    const [how, chain = ''] = verdict.split(' ');
    if (how !== 'jump' && how !== 'goto') throw new Error(`nobody knows what ${verdict} is, in: ${rule}`);
    return { verdict: runChain(rules, chain, packet), leaves: how === 'goto' };
  };
  while (rest !== '') {
    const map = /^(ip6?) ([sd])addr vmap @(\S+)$/.exec(rest);
    if (map) {
      const [, ip, side, name = ''] = map;
      const key = addressOf(packet, ip, side);
      const verdict = key === undefined ? undefined : elementsOf(rules, name).get(key);
      return verdict === undefined ? {} : act(verdict);
    }
    if (/^(accept|drop|jump \S+|goto \S+)$/.test(rest)) return act(rest);
    const { length, holds } = condition(rules, rest, packet);
    if (!holds) return {};
    rest = rest.slice(length).trimStart();
  }
  throw new Error(`it has no verdict: ${rule}`);
}

/** The condition that the text begins with. */
function condition(rules: Ruleset, text: string, packet: Packet): { length: number; holds: boolean } {
  for (const [pattern, holds] of CONDITIONS) {
    const match = pattern.exec(text);
    if (match) return { length: match[0].length, holds: holds(match.slice(1), packet, rules) };
  }
  throw new Error(`nobody knows what this asks: ${text}`);
}

type Condition = [RegExp, (words: string[], packet: Packet, rules: Ruleset) => boolean];

const CONDITIONS: readonly Condition[] = [
  [/^([io])ifname != "(\S+)"/, ([side, name], { iif, oif }) => (side === 'i' ? iif : oif) !== name],
  [/^ct state established,related/, () => false],
  [/^icmpv6 type \{[^}]*\}/, () => false],
  [/^meta nfproto ipv([46])/, ([version], { from }) => isIPv4(from) === (version === '4')],
  [/^meta l4proto (\w+)/, ([protocol], packet) => packet.protocol === protocol],
  [
    /^(ip6?) saddr \. ip6? daddr @(\S+)/,
    ([ip, set = ''], packet, rules) =>
      addressOf(packet, ip, 's') !== undefined && elementsOf(rules, set).has(`${packet.from} . ${packet.to}`),
  ],
  [
    /^(ip6?) daddr \. (\w+) dport @(\S+)/,
    ([ip, protocol, set = ''], packet, rules) =>
      packet.protocol === protocol &&
      elementsOf(rules, set).has(`${addressOf(packet, ip, 'd')} . ${packet.port}`),
  ],
  [
    /^(ip6?) ([sd])addr @(\S+)/,
    ([ip, side, set = ''], packet, rules) => {
      const address = addressOf(packet, ip, side);
      return address !== undefined && elementsOf(rules, set).has(address);
    },
  ],
  [
    /^(ip6?) ([sd])addr (!= )?(\S+)\/(\d+)/,
    ([ip, side, not, network = '', prefix], packet) => {
      const address = addressOf(packet, ip, side);
      if (address === undefined) return false;
      const family = ip === 'ip' ? 'ipv4' : 'ipv6';
      const list = new BlockList();
      list.addSubnet(network, Number(prefix), family);
      return list.check(address, family) === !not;
    },
  ],
  [
    /^(\w+) dport \{ ([^}]*) \}/,
    ([protocol, ports = ''], packet) =>
      packet.protocol === protocol &&
      ports.split(', ').some((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return packet.port >= Number(first) && packet.port <= Number(last);
      }),
  ],
];

/** The packet's address on that side, if it is of that family. */
function addressOf(
  { from, to }: Packet,
  ip: string | undefined,
  side: string | undefined,
): string | undefined {
  const address = side === 's' ? from : to;
  return isIPv4(address) === (ip === 'ip') ? address : undefined;
}

function elementsOf(rules: Ruleset, set: string): ReadonlyMap<string, string | undefined> {
  const elements = rules.elements.get(set);
  if (!elements || !rules.sets.has(set)) throw new Error(`there is no set ${set}`);
  return elements;
}
