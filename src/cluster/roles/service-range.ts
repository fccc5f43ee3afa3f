// Which addresses the Services of a data directory have: chosen at the first start, kept for life, and never those of another
// stead of this machine or of the machine itself.
import { existsSync } from 'node:fs';
import { type PodNetwork, podRangesOf } from '../../api/between/pod-network.ts';
import { readMachineNetwork } from '../../network/cni/machine-network.ts';
import { type MachineNetwork, useOf } from '../../network/cni/pod-network.ts';
import { uniqueLocalRange } from '../../network/cni/unique-local.ts';
import { runCommand } from '../../node/machine/command.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { rangesOf, readServiceCidr, writeServiceCidr } from '../disk/service-cidr.ts';
import { systemRandom } from '../process/system-clock.ts';
import { UserError } from '../process/user-error.ts';
import { alone } from './machine-lock.ts';
import { ownerOf, readPodNetwork } from './pod-network.ts';
import { type SteadBeside, sayToOthers, steadsBeside } from './steads-beside.ts';

/** What earlier versions had, and what is taken where there is nobody else. */
const FIRST = '10.96.0.0/16';
/** Where to look, in this order: kubeadm's 10.96.0.0/12, and then what other installations take. */
const CANDIDATES = [
  ...Array.from({ length: 16 }, (_, index) => `10.${96 + index}.0.0/16`),
  ...Array.from({ length: 16 }, (_, index) => `172.${16 + index}.0.0/16`),
  ...Array.from({ length: 16 }, (_, index) => `10.${112 + index}.0.0/16`),
];

/** As much room as IPv4 has. */
const IPV6_PREFIX_LENGTH = 112;

/** What is asked for. */
export interface AskedRanges {
  /** By `--service-cidr`, in the form of `parseServiceCidr`. */
  serviceCidr?: string | undefined;
  /** Whether there is to be a range of IPv6 where nothing else is asked for: pods have addresses of it. */
  ipv6: boolean;
}

/**
 * The ranges of a data directory whose Services have addresses of this machine; chosen and written down if there are none yet.
 * One that has IPv4 alone is given IPv6, too, when it is wanted; nothing is ever taken away.
 * @throws UserError if others are asked for than it has, or some that are in use; or another stead that is up has them.
 */
export async function serviceRangeOf(paths: Paths, asked: AskedRanges): Promise<string> {
  return alone(paths, async () => {
    const chosen = await checkServiceRange(paths, asked);
    await keep(paths, chosen);
    await sayToOthers(paths, chosen);
    return chosen;
  });
}

/** The same without keeping it: what can be known to be in the way before anything is made. */
export async function checkServiceRange(paths: Paths, asked: AskedRanges): Promise<string> {
  const known = await knownRange(paths, asked.serviceCidr);
  const beside = await steadsBeside(paths);
  if (known !== undefined) await refuseShared(paths, known, beside);
  const [, askedIPv6] = rangesOf(asked.serviceCidr ?? '');
  const wantsIPv6 = askedIPv6 !== undefined || (asked.serviceCidr === undefined && asked.ipv6);
  const [ipv4, ipv6] = rangesOf(known ?? '');
  if (ipv4 && (ipv6 !== undefined || !wantsIPv6)) return [ipv4, ipv6].filter(Boolean).join();
  const around: Around = {
    machine: await readMachineNetwork(runCommand),
    beside,
    own: await readPodNetwork(paths),
  };
  const chosen = ipv4 || newRange(rangesOf(asked.serviceCidr ?? '')[0], around);
  return wantsIPv6 ? `${chosen},${newIPv6Range(askedIPv6, around)}` : chosen;
}

/** The same where nothing is done on the machine: simulated Services are in nobody's way. */
export async function simulatedServiceRangeOf(paths: Paths, asked: string | undefined): Promise<string> {
  const known = await knownRange(paths, asked);
  const range = asked ?? known ?? FIRST;
  await keep(paths, range);
  return range;
}

async function keep(paths: Paths, range: string): Promise<void> {
  if ((await readServiceCidr(paths)) === range) return;
  await writeServiceCidr(paths, range).catch((error: unknown) => {
    // On a full disk one of an earlier version starts all the same: the next start comes to the same range.
    if (!existsSync(paths.store) || rangesOf(range).length > 1) throw error;
  });
}

/** What the data directory has already, perhaps from a time when nobody could choose. */
async function knownRange(paths: Paths, asked: string | undefined): Promise<string | undefined> {
  const known = (await readServiceCidr(paths)) ?? (existsSync(paths.store) ? FIRST : undefined);
  const isMore = known !== undefined && asked?.startsWith(`${known},`);
  if (known !== undefined && asked !== undefined && known !== asked && !isMore) {
    throw new UserError(
      `The Services of ${paths.data} have addresses of ${known}, for as long as it lives: leave out --service-cidr, or give another --data-dir.`,
    );
  }
  return known;
}

/** Who may use ranges already. */
interface Around {
  machine: MachineNetwork;
  beside: readonly SteadBeside[];
  /** The network of this stead's pods. */
  own: PodNetwork | undefined;
}

function newRange(asked: string | undefined, around: Around): string {
  if (!asked) return chooseServiceRange(around.machine, around.beside, around.own);
  refuseUsed(asked, around);
  return asked;
}

function newIPv6Range(asked: string | undefined, around: Around): string {
  if (asked === undefined) {
    return uniqueLocalRange(systemRandom, IPV6_PREFIX_LENGTH, ({ cidr }) => !useOfRange(cidr, around)).cidr;
  }
  refuseUsed(asked, around);
  return asked;
}

function refuseUsed(asked: string, around: Around): void {
  const why = useOfRange(asked, around);
  if (why === undefined) return;
  throw new UserError(`--service-cidr ${asked} cannot be had: ${why}. Give another, or leave it out.`);
}

/**
 * The first range that nobody uses. Pure.
 * @throws UserError if there is none.
 */
export function chooseServiceRange(
  machine: MachineNetwork,
  beside: readonly SteadBeside[],
  own: PodNetwork | undefined,
): string {
  const free = CANDIDATES.find((cidr) => useOfRange(cidr, { machine, beside, own }) === undefined);
  if (free !== undefined) return free;
  throw new UserError(
    'No range of addresses is free for Services: this machine or other steads use all that are looked at. Give one with --service-cidr.',
  );
}

/** Who uses a range already, for people; undefined if nobody does. */
function useOfRange(cidr: string, { machine, beside, own }: Around): string | undefined {
  const other = beside.find(({ serviceCidr }) => useOf(cidr, asUse(rangesOf(serviceCidr))) !== undefined);
  if (other) return `the Services of the stead in ${other.data} have ${other.serviceCidr}`;
  const ofPods = own ? podRangesOf(own).map((range) => range.cidr) : [];
  const used = useOf(cidr, asUse(ofPods, machine));
  return used === undefined ? undefined : `this machine uses ${used}`;
}

/** Ranges as the use of a machine, beside what it uses. */
const asUse = (ranges: readonly string[], machine?: MachineNetwork): MachineNetwork => ({
  ranges: [...(machine?.ranges ?? []), ...ranges.map((cidr) => ({ cidr }))],
  interfaces: machine?.interfaces ?? [],
});

/** Two that have come to the same range by other ways (a data directory that was carried here) cannot both be up. */
async function refuseShared(paths: Paths, known: string, beside: readonly SteadBeside[]): Promise<void> {
  const sharing = beside.filter(({ serviceCidr }) => {
    const theirs = asUse(rangesOf(serviceCidr));
    return rangesOf(known).some((cidr) => useOf(cidr, theirs) !== undefined);
  });
  if (sharing.length === 0) return;
  const { interfaces } = await readMachineNetwork(runCommand);
  const up = sharing.find(({ data }) => interfaces.some(({ alias }) => alias === ownerOf(pathsOf(data))));
  if (!up) return;
  throw new UserError(
    `The Services of ${paths.data} have addresses of ${known}, and so have those of the stead in ${up.data}, which is up: end that one first (stead down --data-dir ${up.data}).`,
  );
}
