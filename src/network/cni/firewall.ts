// The packet filter rules of the pod network, in chains of our own in each family's tables: pods may reach each other and the world, the
// world sees the machine's address, and does not reach the bridge's. Machines whose FORWARD or INPUT policy is DROP (Docker's, ufw's) need the rest.
// Addresses that nobody answers for are refused at once, as kube-proxy refuses a Service without endpoints: they would
// else leave by the default route, to whoever answers there. What the portmap plugin leaves behind is taken away, too.

import { type PodNetwork, type PodRange, podRangesOf } from '../../api/between/pod-network.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import { networkName } from './config.ts';
import { hasIPv6 } from './ipv6.ts';

type Table = 'filter' | 'nat';

/** One of the kernel's own chains, and ours that it is made to jump to. */
interface Hook {
  table: Table;
  from: string;
  chain: string;
}

/** How a family's packets are filtered. */
interface PacketFilter {
  program: 'iptables' | 'ip6tables';
  unreachable: string;
  multicast: string;
}

const IPV4: PacketFilter = {
  program: 'iptables',
  unreachable: 'icmp-port-unreachable',
  multicast: '224.0.0.0/4',
};
const IPV6: PacketFilter = {
  program: 'ip6tables',
  unreachable: 'icmp6-port-unreachable',
  multicast: 'ff00::/8',
};

const filterOf = ({ cidr }: { cidr: string }): PacketFilter => (cidr.includes(':') ? IPV6 : IPV4);

type Bridge = Pick<PodNetwork, 'bridge'>;

const forwardChain = ({ bridge }: Bridge): string => `STEAD-FORWARD-${bridge}`;
const inputChain = ({ bridge }: Bridge): string => `STEAD-INPUT-${bridge}`;
const outputChain = ({ bridge }: Bridge): string => `STEAD-OUTPUT-${bridge}`;
const natChain = ({ bridge }: Bridge): string => `STEAD-NAT-${bridge}`;

function hooksOf(network: PodNetwork): Hook[] {
  return [
    { table: 'filter', from: 'FORWARD', chain: forwardChain(network) },
    { table: 'filter', from: 'INPUT', chain: inputChain(network) },
    { table: 'filter', from: 'OUTPUT', chain: outputChain(network) },
    { table: 'nat', from: 'POSTROUTING', chain: natChain(network) },
  ];
}

/** A range of addresses that are refused. */
export interface RefusedRange {
  /** CIDR notation. */
  cidr: string;
  /** Whether the machine itself is refused, too, and not pods alone. */
  onHost: boolean;
}

/** `REJECT` says no at once; `DROP` is for kernels that cannot. */
type Verdict = 'REJECT' | 'DROP';

function refusals(match: string, { unreachable }: PacketFilter, verdict: Verdict): string[] {
  if (verdict === 'DROP') return [`${match} -j DROP`];
  // A reset is never held back; of the kernel's ICMP errors only some go to one receiver in a second.
  return [
    `${match} -p tcp -j REJECT --reject-with tcp-reset`,
    `${match} -j REJECT --reject-with ${unreachable}`,
  ];
}

/** By which a host of IPv6 finds its neighbours: some have no address of the range yet. */
function neighbours({ program }: PacketFilter): string[] {
  if (program === 'iptables') return [];
  const types = ['neighbour-solicitation', 'neighbour-advertisement'];
  return types.map((type) => `-p ipv6-icmp --icmpv6-type ${type} -j ACCEPT`);
}

/**
 * The content of our chains of one family, for iptables-restore or ip6tables-restore; a chain that is declared is emptied first.
 * @param network the bridge, and the family's range.
 */
export function firewallRules(
  network: Bridge & PodRange,
  refused: RefusedRange | undefined,
  verdict: Verdict = 'REJECT',
): string {
  const { bridge, cidr, gateway } = network;
  const filter = filterOf(network);
  const forward = [
    ...(refused ? refusals(`-s ${cidr} -d ${refused.cidr}`, filter, verdict) : []),
    // A pod that says it is a router would be asked to carry what others send (CVE-2020-10749).
    ...(filter === IPV6
      ? [`-i ${bridge} -o ${bridge} -p ipv6-icmp --icmpv6-type router-advertisement -j DROP`]
      : []),
    ...neighbours(filter).map((rule) => `-i ${bridge} -o ${bridge} ${rule}`),
    `-s ${cidr} -j ACCEPT`,
    `-d ${cidr} -j ACCEPT`,
  ];
  // Linux answers for its addresses on every interface: a neighbour who sends to the gateway would reach what is there for
  // pods, the API and DNS.
  const input = [
    `-i ${bridge} -d ${gateway} -j ACCEPT`,
    `-i lo -d ${gateway} -j RETURN`,
    ...neighbours(filter).map((rule) => `-i ${bridge} ${rule}`),
    ...refusals(`-d ${gateway}`, filter, verdict),
  ];
  const output = refused?.onHost ? refusals(`-d ${refused.cidr}`, filter, verdict) : [];
  return `*filter
:${forwardChain(network)} - [0:0]
:${inputChain(network)} - [0:0]
:${outputChain(network)} - [0:0]
${forward.map((rule) => `-A ${forwardChain(network)} ${rule}\n`).join('')}${input.map((rule) => `-A ${inputChain(network)} ${rule}\n`).join('')}${output.map((rule) => `-A ${outputChain(network)} ${rule}\n`).join('')}COMMIT
*nat
:${natChain(network)} - [0:0]
-A ${natChain(network)} -s ${cidr} -d ${cidr} -j RETURN
-A ${natChain(network)} -s ${cidr} -d ${filter.multicast} -j RETURN
-A ${natChain(network)} -s ${cidr} -j MASQUERADE
COMMIT
`;
}

type Tables = (table: Table, ...args: string[]) => Promise<string>;

const tablesOf =
  (run: RunCommand, { program }: PacketFilter): Tables =>
  (table, ...args) =>
    run(program, ['-w', '-t', table, ...args]);

const comment = (network: PodNetwork): string[] => ['-m', 'comment', '--comment', networkName(network)];

/** Idempotent. Ours comes first in the kernel's chains: others may drop what they do not know. */
export async function setUpFirewall(
  run: RunCommand,
  network: PodNetwork,
  refused: readonly RefusedRange[],
): Promise<void> {
  for (const range of podRangesOf(network)) {
    const filter = filterOf(range);
    const restore = (verdict: Verdict): Promise<string> => {
      const ofFamily = refused.find((each) => filterOf(each) === filter);
      const input = firewallRules({ ...network, ...range }, ofFamily, verdict);
      return run(`${filter.program}-restore`, ['-w', '--noflush'], { input });
    };
    await restore('REJECT').catch((error: unknown) => {
      if (!(error instanceof CommandError) || error.notInstalled) throw error;
      return restore('DROP');
    });
    const tables = tablesOf(run, filter);
    for (const { table, from, chain } of hooksOf(network)) {
      const jump = [...comment(network), '-j', chain];
      if (!(await exists(tables(table, '-C', from, ...jump)))) await tables(table, '-I', from, '1', ...jump);
    }
  }
}

/** Takes our rules away, and what portmap left of our pods. Idempotent. */
export async function removeFirewall(run: RunCommand, network: PodNetwork): Promise<void> {
  for (const range of podRangesOf(network)) {
    const filter = filterOf(range);
    if (filter === IPV6 && !hasIPv6()) continue;
    const tables = tablesOf(run, filter);
    for (const { table, from, chain } of hooksOf(network)) {
      while (await exists(tables(table, '-D', from, ...comment(network), '-j', chain)));
      if (await exists(tables(table, '-F', chain))) await tables(table, '-X', chain);
    }
    const leftovers = portmapLeftovers(await tables('nat', '-S'), networkName(network));
    for (const args of leftovers) await tables('nat', ...args);
  }
}

/** Whether a command on a rule or chain found it; anything else that goes wrong is thrown. */
async function exists(command: Promise<string>): Promise<boolean> {
  return command.then(
    () => true,
    (error: unknown) => {
      // 1: no such rule or chain; 2 is what iptables-nft says of a jump to a chain that is not there.
      if (error instanceof CommandError && (error.exitCode === 1 || error.exitCode === 2)) return false;
      throw error;
    },
  );
}

/** Shared by all users of portmap on a machine, and left by it when the last rule has gone. */
const PORTMAP_CHAINS = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK'];

/**
 * What has to be deleted from the nat table after our pods have gone: rules and chains of pods of ours that were
 * not taken down in order, and portmap's own chains if nobody else uses them. Pure.
 * @param saved the table as `iptables -S` prints it.
 * @param name of the network: portmap writes it in its rules' comments.
 * @returns arguments to iptables, in order.
 */
export function portmapLeftovers(saved: string, name: string): string[][] {
  const rules = saved.split('\n').filter((line) => line.startsWith('-A '));
  const ours = rules.filter((rule) => rule.includes(`dnat name: \\"${name}\\"`));
  // A pod has one chain, and a rule that leads there for each protocol.
  const chains = [...new Set(ours.flatMap((rule) => / -j (CNI-DN-\S+)/.exec(rule)?.[1] ?? []))];
  const commands: string[][] = [
    ...ours.map((rule) => ['-D', ...splitRule(rule.slice(3))]),
    ...chains.flatMap((chain) => [
      ['-F', chain],
      ['-X', chain],
    ]),
  ];
  const used = rules.some((rule) => rule.startsWith('-A CNI-HOSTPORT-DNAT ') && !ours.includes(rule));
  const there = PORTMAP_CHAINS.filter((chain) => saved.includes(`-N ${chain}\n`));
  if (used || there.length === 0) return commands;
  const jumps = rules.filter(
    (rule) => there.some((chain) => rule.endsWith(` -j ${chain}`)) && !rule.startsWith('-A CNI-'),
  );
  return [
    ...commands,
    ...jumps.map((rule) => ['-D', ...splitRule(rule.slice(3))]),
    ...there.map((chain) => ['-F', chain]),
    ...there.map((chain) => ['-X', chain]),
  ];
}

/** Splits a printed rule into arguments: words, and texts in quotes with `\"` inside. */
function splitRule(rule: string): string[] {
  return (rule.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) =>
    word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, '$1') : word,
  );
}
