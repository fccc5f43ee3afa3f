// The two chains by which what is forwarded comes to the rules of policies. Pure. What the machine itself sends to its pods, and
// they to it, is not forwarded, and so not restricted (upstream: "traffic to and from the node where a Pod is running is
// always allowed").
import type { Chain, NftSet, Ruleset } from '../nftables/ruleset.ts';
import { type Family, rangesOfFamily } from '../proxy/family.ts';
import { selfSet, verdictMap } from './names.ts';
import { DIRECTIONS, type Direction } from './policy.ts';

export interface PolicyOptions {
  /** The bridge that this stead's pods hang on. */
  bridge: string;
  /** The addresses of pods, in CIDR notation. */
  podRanges: readonly string[];
  families: readonly Family[];
}

/** In this order, and after the rules of Services: where those refuse a connection, its client hears of it. */
const PRIORITIES: Record<Direction, string> = { egress: '1', ingress: '2' };

export function frame(options: PolicyOptions): Ruleset {
  const chains = DIRECTIONS.map((direction): [string, Chain] => [
    `policy-${direction}`,
    // One each: what one accepts is still to be asked of the other.
    {
      hook: { type: 'filter', hook: 'forward', priority: PRIORITIES[direction] },
      rules: rulesOf(direction, options),
    },
  ]);
  const sets = options.families.flatMap((family): Array<[string, NftSet]> => {
    const { address } = family;
    return [
      [selfSet(family), { kind: 'set', type: `${address} . ${address}` }],
      ...DIRECTIONS.map((direction): [string, NftSet] => [
        verdictMap(direction, family),
        { kind: 'map', type: `${address} : verdict` },
      ]),
    ];
  });
  return { chains: new Map(chains), sets: new Map(sets), elements: new Map() };
}

function rulesOf(direction: Direction, { bridge, families, podRanges }: PolicyOptions): string[] {
  const [side, own] = direction === 'egress' ? ['iifname', 'saddr'] : ['oifname', 'daddr'];
  return [
    `${side} != "${bridge}" accept`,
    // No pod sends from beyond the bridge: whoever does under a pod's address means to pass for it.
    ...(direction === 'ingress' ? families : []).flatMap((family) =>
      rangesOfFamily(family, podRanges).map(
        (range) => `iifname != "${bridge}" ${family.ip} saddr ${range} drop`,
      ),
    ),
    'ct state established,related accept',
    // How pods on one bridge find each other; what they say then is restricted.
    'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    ...families.map((family) => `${family.ip} saddr . ${family.ip} daddr @${selfSet(family)} accept`),
    ...families.map((family) => `${family.ip} ${own} vmap @${verdictMap(direction, family)}`),
    // Of no pod that is known: one that has begun before its address was, one that is gone and runs, one that gives itself
    // another address, or one of IPv6 for its link alone; and what goes to many at once.
    'drop',
  ];
}
