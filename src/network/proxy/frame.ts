// The chains by which packets come to the rules of Services, and what holds for all Services alike. Pure. Follows
// pkg/proxy/nftables (setupNFTables), except that what nobody answers for is refused where upstream drops it.
import type { Chain, NftSet, Ruleset } from '../nftables/ruleset.ts';
import { type Family, rangesOfFamily } from './family.ts';
import {
  clusterIpsSet,
  firewallMap,
  hairpinSet,
  MASQUERADE,
  nodePortsMap,
  noEndpointNodePortsMap,
  noEndpointsMap,
  REJECT_CHAIN,
  serviceIpsMap,
} from './names.ts';

/** Where and for whom Services are. */
export interface FrameOptions {
  /** The bridge that this stead's pods hang on. */
  bridge: string;
  /** The addresses of pods and of the bridge, in CIDR notation. */
  podRanges: readonly string[];
  families: readonly Family[];
  /** The addresses of Services, in CIDR notation: what of them nobody has is refused. */
  serviceRanges: readonly { cidr: string; family: Family; onHost: boolean }[];
}

export function frame({ bridge, podRanges, families, serviceRanges }: FrameOptions): Ruleset {
  /** What comes from the pods of another stead of this machine is that stead's. */
  const othersReturn = `iifname "stead*" iifname != "${bridge}" return`;
  const each = (rules: (family: Family) => string[]): string[] => families.flatMap(rules);
  // What the machine says to itself is nobody's Service, nor is what is said to a pod, to DNS or to the API on the bridge:
  // whoever may write a Service could else claim their addresses by externalIPs, and answer for them.
  const never = (family: Family): string =>
    `${family.ip} daddr != { ${[family.loopback, ...rangesOfFamily(family, podRanges)].join(', ')} }`;
  const key = (family: Family): string => `${never(family)} ${family.ip} daddr . meta l4proto . th dport`;
  const onMachine = ({ ip, loopback }: Family): string => `fib daddr type local ${ip} daddr != ${loopback}`;
  const refuseRanges = (isOnHost: boolean): string[] =>
    serviceRanges.flatMap(({ cidr, family, onHost }) =>
      isOnHost && !onHost ? [] : [`${family.ip} daddr ${cidr} goto ${REJECT_CHAIN}`],
    );
  const chains: Record<string, Chain> = {
    services: {
      rules: each((family) => [
        `${key(family)} vmap @${serviceIpsMap(family)}`,
        `${onMachine(family)} meta l4proto . th dport vmap @${nodePortsMap(family)}`,
      ]),
    },
    [REJECT_CHAIN]: {
      // A reset is never held back; of the kernel's ICMP errors only some go to one receiver in a second.
      rules: ['meta l4proto tcp reject with tcp reset', 'reject with icmpx type port-unreachable'],
    },
    'no-endpoints': { rules: each((family) => [`${key(family)} vmap @${noEndpointsMap(family)}`]) },
    'no-endpoint-node-ports': {
      rules: each((family) => [
        `${onMachine(family)} meta l4proto . th dport vmap @${noEndpointNodePortsMap(family)}`,
      ]),
    },
    'unknown-cluster-ips': {
      rules: each((family) => [`${family.ip} daddr @${clusterIpsSet(family)} goto ${REJECT_CHAIN}`]),
    },
    firewall: { rules: each((family) => [`${key(family)} vmap @${firewallMap(family)}`]) },
    'firewall-prerouting': {
      hook: { type: 'filter', hook: 'prerouting', priority: '-110' },
      rules: [othersReturn, 'ct state new jump firewall'],
    },
    'firewall-output': {
      hook: { type: 'filter', hook: 'output', priority: '-110' },
      rules: ['ct state new jump firewall'],
    },
    'nat-prerouting': {
      hook: { type: 'nat', hook: 'prerouting', priority: 'dstnat' },
      rules: [
        othersReturn,
        // A neighbour that has a route to the addresses of Services by this machine gets its answers by it, too.
        ...each((family) => [
          `iifname != "${bridge}" ${family.ip} daddr @${clusterIpsSet(family)} ${MASQUERADE}`,
        ]),
        'jump services',
      ],
    },
    'nat-output': {
      hook: { type: 'nat', hook: 'output', priority: '-100' },
      rules: [
        ...each((family) => [`${family.ip} daddr @${clusterIpsSet(family)} ${MASQUERADE}`]),
        'jump services',
      ],
    },
    'nat-postrouting': {
      hook: { type: 'nat', hook: 'postrouting', priority: 'srcnat' },
      rules: [
        'meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade fully-random',
        ...each((family) => [
          `ct status dnat ${family.ip} saddr . ${family.ip} daddr @${hairpinSet(family)} masquerade fully-random`,
        ]),
      ],
    },
    'filter-input': {
      hook: { type: 'filter', hook: 'input', priority: 'filter' },
      rules: [othersReturn, 'ct state new jump no-endpoint-node-ports', 'ct state new jump no-endpoints'],
    },
    'filter-forward': {
      hook: { type: 'filter', hook: 'forward', priority: 'filter' },
      rules: [
        othersReturn,
        'ct state new jump no-endpoints',
        'ct state new jump unknown-cluster-ips',
        ...refuseRanges(false),
      ],
    },
    'filter-output': {
      hook: { type: 'filter', hook: 'output', priority: 'filter' },
      rules: [
        'ct state new jump no-endpoints',
        'ct state new jump unknown-cluster-ips',
        ...refuseRanges(true),
      ],
    },
  };
  const sets = families.flatMap((family): Array<[string, NftSet]> => {
    const { address } = family;
    const verdicts: NftSet = { kind: 'map', type: `${address} . inet_proto . inet_service : verdict` };
    const portVerdicts: NftSet = { kind: 'map', type: 'inet_proto . inet_service : verdict' };
    return [
      [clusterIpsSet(family), { kind: 'set', type: address }],
      [hairpinSet(family), { kind: 'set', type: `${address} . ${address}` }],
      [serviceIpsMap(family), verdicts],
      [noEndpointsMap(family), verdicts],
      [firewallMap(family), verdicts],
      [nodePortsMap(family), portVerdicts],
      [noEndpointNodePortsMap(family), portVerdicts],
    ];
  });
  return { chains: new Map(Object.entries(chains)), sets: new Map(sets), elements: new Map() };
}
