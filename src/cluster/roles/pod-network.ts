// The pod network of a data directory: chosen once, so that pods that outlive stead keep addresses that lead to them, and
// looked at at every start, because another stead may have taken it while this one was down and the machine rebooted.
// What is done to the machine's network is done under a lock that all steads of the machine share.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PodNetwork, podRangesOf } from '../../api/between/pod-network.ts';
import type { Random } from '../../base/clock.ts';
import { sameJson } from '../../base/same-json.ts';
import { hasPods, removeBridge, setUpBridge } from '../../network/cni/bridge.ts';
import { writeCniConfig } from '../../network/cni/config.ts';
import { type RefusedRange, removeFirewall } from '../../network/cni/firewall.ts';
import { hasIPv6 } from '../../network/cni/ipv6.ts';
import { readMachineNetwork } from '../../network/cni/machine-network.ts';
import {
  isOwnBridge,
  keepOrChooseIPv6,
  keepOrChoosePodNetwork,
  type MachineNetwork,
  useOf,
} from '../../network/cni/pod-network.ts';
import { removeTable } from '../../network/nftables/existing.ts';
import type { TableName } from '../../network/nftables/script.ts';
import { whyNoPolicies } from '../../network/policy/support.ts';
import { showBridgedTraffic } from '../../network/proxy/bridged-traffic.ts';
import { IPV4, IPV6 } from '../../network/proxy/family.ts';
import type { FrameOptions } from '../../network/proxy/frame.ts';
import { whyNoServices } from '../../network/proxy/support.ts';
import { runCommand } from '../../node/machine/command.ts';
import type { Paths } from '../disk/paths.ts';
import { rangesOf } from '../disk/service-cidr.ts';
import { alone } from './machine-lock.ts';
import { steadsBeside } from './steads-beside.ts';

export interface RunningPodNetwork extends PodNetwork {
  /** Where the CNI configuration lies, the only file there. */
  cniConfDirectory: string;
  /** Where the addresses that are handed out are noted. */
  leaseDirectory: string;
  /** What becomes of traffic to addresses of Services, for people. */
  services: string;
  /** The nftables table of this stead, and how Services come into it; undefined where there can be none. */
  proxied: ProxiedServices | undefined;
  /** What becomes of NetworkPolicies. */
  policies: PolicyEnforcement;
  /**
   * Makes again what somebody has taken away of it since.
   * @throws what `setUpPodNetwork` throws, and Error if traffic from pod to pod is hidden from the rules, as it was not before.
   */
  mend(): Promise<void>;
}

export interface PolicyEnforcement {
  /** Why they are not enforced, or not all that they say; undefined: they are. */
  whyNot: string | undefined;
  /** Whether there are rules for them at all. */
  hasRules: boolean;
}

interface ProxiedServices {
  name: TableName;
  options: FrameOptions;
}

/** The alias of a stead's bridge. */
export const ownerOf = (paths: Paths): string => `stead ${paths.run}`;
const leasesOf = (paths: Paths): string => join(paths.data, 'cni', 'leases');

/** What a pod network is made for. */
export interface PodNetworkOptions {
  /** Addresses of Services: those that lead nowhere are refused. Where there are some of IPv6, pods have that, too. */
  serviceCidr: string;
  random: Random;
}

/**
 * Makes the network on the machine, as it was before or, if that belongs to somebody else now, another.
 * @throws UserError if another stead holds the machine's network up; CommandError if a program refuses.
 */
export async function setUpPodNetwork(paths: Paths, options: PodNetworkOptions): Promise<RunningPodNetwork> {
  return alone(paths, async () => {
    const owner = ownerOf(paths);
    const machine = await readMachineNetwork(runCommand);
    const network = await keepOrChoose(paths, machine, options);
    const ranges = rangesOf(options.serviceCidr).map((cidr) => ({ cidr, use: useOf(cidr, machine) }));
    const frame: FrameOptions = {
      bridge: network.bridge,
      podRanges: podRangesOf(network).map(({ cidr }) => cidr),
      families: [IPV4, IPV6],
      serviceRanges: ranges.map(({ cidr, use }) => ({
        cidr,
        family: cidr.includes(':') ? IPV6 : IPV4,
        onHost: use === undefined,
      })),
    };
    const whyNot = await whyNoServices(runCommand, frame);
    // Without the proxy, all of the ranges is refused by what every machine has.
    const refused: RefusedRange[] = whyNot === undefined ? [] : [...frame.serviceRanges];
    const setUp = async (): Promise<string | undefined> => {
      await setUpBridge(runCommand, network, { owner, refused });
      return whyNot === undefined ? whyHidden() : undefined;
    };
    const hidden = await setUp();
    const cniConfDirectory = join(paths.data, 'cni', 'net.d');
    const leaseDirectory = leasesOf(paths);
    await writeCniConfig(network, { confDirectory: cniConfDirectory, leaseDirectory });
    const name = { table: tableOf(network), owner };
    const used = ranges.flatMap(({ use }) => use ?? []);
    return {
      ...network,
      cniConfDirectory,
      leaseDirectory,
      services: `${options.serviceCidr}: ${whyNot ? `refused, nothing carries their traffic: ${whyNot}` : carried(name, hidden)}${used.length > 0 ? `; the machine itself uses ${used.join(' and ')}, so that it is not kept from it` : ''}${hasTwo(options.serviceCidr) && !network.ipv6 ? '; its kernel has no IPv6 now, and neither have pods' : ''}`,
      proxied: whyNot ? undefined : { name, options: frame },
      policies: await policyEnforcement(frame, whyNot, hidden),
      mend: () =>
        alone(paths, async () => {
          const hiddenNow = await setUp();
          if (hiddenNow !== hidden) throw new Error(hiddenNow);
        }),
    };
  });
}

/** Why traffic from pod to pod of this machine passes by all rules, or undefined. */
async function whyHidden(): Promise<string | undefined> {
  const why = await showBridgedTraffic(runCommand);
  return why && `br_netfilter cannot be had (${why})`;
}

/** What the data directory has from now on, written down; and of that, what the kernel can have. */
async function keepOrChoose(
  paths: Paths,
  machine: MachineNetwork,
  { random, serviceCidr }: PodNetworkOptions,
): Promise<PodNetwork> {
  const known = await readPodNetwork(paths);
  const others = (await steadsBeside(paths)).map((other) => other.serviceCidr);
  const reserved = [serviceCidr, ...others].flatMap(rangesOf);
  const { ipv6: before, ...chosen } = keepOrChoosePodNetwork(known, machine, ownerOf(paths), reserved);
  const isKept = chosen.bridge === known?.bridge && chosen.cidr === known.cidr;
  if (known && !isKept) await leave(known, paths, machine);
  const used = { ...machine, ranges: [...machine.ranges, ...reserved.map((cidr) => ({ cidr }))] };
  const ipv6 = hasTwo(serviceCidr)
    ? keepOrChooseIPv6(before ?? known?.ipv6, isKept, used, random)
    : known?.ipv6;
  const network = ipv6 ? { ...chosen, ipv6 } : chosen;
  if (!sameJson(network, known)) {
    await writeFile(`${paths.network}.new`, `${JSON.stringify(network)}\n`);
    await rename(`${paths.network}.new`, paths.network);
  }
  return hasIPv6() ? network : chosen;
}

const hasTwo = (serviceCidr: string): boolean => rangesOf(serviceCidr).length > 1;

function carried({ table }: TableName, hidden: string | undefined): string {
  const but = hidden ? `, but not from pod to pod of this machine: ${hidden}` : '';
  return `carried by nftables (table ${table})${but}`;
}

async function policyEnforcement(
  options: FrameOptions,
  noTable: string | undefined,
  hidden: string | undefined,
): Promise<PolicyEnforcement> {
  const refused = noTable ?? (await whyNoPolicies(runCommand, options));
  if (refused !== undefined) return { hasRules: false, whyNot: refused };
  return { hasRules: true, whyNot: hidden && `traffic from pod to pod is hidden from the rules: ${hidden}` };
}

/** The nftables table. Each stead of a machine has its own: that of the first bridge is called as people expect it. */
export const tableOf = ({ bridge }: PodNetwork): string => (bridge === 'stead0' ? 'stead' : bridge);

/** Takes it off the machine, if no pod hangs on it any more; the next start makes it again. */
export async function takeDownPodNetwork(paths: Paths): Promise<void> {
  await alone(paths, async () => {
    const network = await ownNetwork(paths);
    if (network && !(await hasPods(runCommand, network))) await remove(network);
  });
}

/** Takes it off the machine, with whatever still hangs on it. Idempotent; what is another's stays. */
export async function removePodNetwork(paths: Paths): Promise<void> {
  await alone(paths, async () => {
    const network = await ownNetwork(paths);
    if (network) await remove(network);
  });
}

async function remove(network: PodNetwork): Promise<void> {
  await removeBridge(runCommand, network);
  await removeTable(runCommand, tableOf(network));
}

/** The network of a data directory, if it has one. */
export async function readPodNetwork(paths: Paths): Promise<PodNetwork | undefined> {
  try {
    return JSON.parse(await readFile(paths.network, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The network of the data directory, unless another has made a bridge of that name since. */
async function ownNetwork(paths: Paths): Promise<PodNetwork | undefined> {
  const network = await readPodNetwork(paths);
  if (!network) return undefined;
  return isTaken(network, paths, await readMachineNetwork(runCommand)) ? undefined : network;
}

function isTaken(network: PodNetwork, paths: Paths, machine: MachineNetwork): boolean {
  const bridge = machine.interfaces.find(({ name }) => name === network.bridge);
  return bridge !== undefined && !isOwnBridge(bridge, network, machine, ownerOf(paths));
}

/** Addresses of the old network lead nowhere any more: its leases go, and what rules of it are left. */
async function leave(network: PodNetwork, paths: Paths, machine: MachineNetwork): Promise<void> {
  await rm(leasesOf(paths), { recursive: true, force: true });
  if (isTaken(network, paths, machine)) return;
  await removeFirewall(runCommand, network);
  await removeTable(runCommand, tableOf(network));
}
