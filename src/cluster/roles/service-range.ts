// Which addresses the Services of a data directory have: chosen at the first start, kept for life, and never those of another
// stead of this machine or of the machine itself.
import { existsSync } from 'node:fs';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { readMachineNetwork } from '../../network/cni/machine-network.ts';
import { type MachineNetwork, useOf } from '../../network/cni/pod-network.ts';
import { runCommand } from '../../node/machine/command.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { readServiceCidr, writeServiceCidr } from '../disk/service-cidr.ts';
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

/**
 * The range of a data directory whose Services have addresses of this machine; chosen and written down if there is none yet.
 * @param asked by `--service-cidr`, in the form of `parseServiceCidr`.
 * @throws UserError if another is asked for than it has, or one that is in use; or another stead that is up has it.
 */
export async function serviceRangeOf(paths: Paths, asked: string | undefined): Promise<string> {
  return alone(paths, async () => {
    const chosen = await checkServiceRange(paths, asked);
    await keep(paths, chosen);
    await sayToOthers(paths, chosen);
    return chosen;
  });
}

/** The same without keeping it: what can be known to be in the way before anything is made. */
export async function checkServiceRange(paths: Paths, asked: string | undefined): Promise<string> {
  const known = await knownRange(paths, asked);
  const beside = await steadsBeside(paths);
  if (known === undefined) return newRange(paths, asked, beside);
  await refuseShared(paths, known, beside);
  return known;
}

/** The same where nothing is done on the machine: simulated Services are in nobody's way. */
export async function simulatedServiceRangeOf(paths: Paths, asked: string | undefined): Promise<string> {
  const range = (await knownRange(paths, asked)) ?? asked ?? FIRST;
  await keep(paths, range);
  return range;
}

async function keep(paths: Paths, range: string): Promise<void> {
  if ((await readServiceCidr(paths)) !== undefined) return;
  await writeServiceCidr(paths, range).catch((error: unknown) => {
    // On a full disk one of an earlier version starts all the same: the next start comes to the same range.
    if (!existsSync(paths.store)) throw error;
  });
}

/** What the data directory has already, perhaps from a time when nobody could choose. */
async function knownRange(paths: Paths, asked: string | undefined): Promise<string | undefined> {
  const known = (await readServiceCidr(paths)) ?? (existsSync(paths.store) ? FIRST : undefined);
  if (known !== undefined && asked !== undefined && known !== asked) {
    throw new UserError(
      `The Services of ${paths.data} have addresses of ${known}, for as long as it lives: leave out --service-cidr, or give another --data-dir.`,
    );
  }
  return known;
}

async function newRange(
  paths: Paths,
  asked: string | undefined,
  beside: readonly SteadBeside[],
): Promise<string> {
  const machine = await readMachineNetwork(runCommand);
  const own = await readPodNetwork(paths);
  if (asked === undefined) return chooseServiceRange(machine, beside, own);
  const why = useOfRange(asked, machine, beside, own);
  if (why === undefined) return asked;
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
  const free = CANDIDATES.find((cidr) => useOfRange(cidr, machine, beside, own) === undefined);
  if (free !== undefined) return free;
  throw new UserError(
    'No range of addresses is free for Services: this machine or other steads use all that are looked at. Give one with --service-cidr.',
  );
}

/** Who uses a range already, for people; undefined if nobody does. */
function useOfRange(
  cidr: string,
  machine: MachineNetwork,
  beside: readonly SteadBeside[],
  own: PodNetwork | undefined,
): string | undefined {
  const other = beside.find(({ serviceCidr }) => useOf(cidr, rangesOf(serviceCidr)) !== undefined);
  if (other) return `the Services of the stead in ${other.data} have ${other.serviceCidr}`;
  const used = useOf(cidr, own ? rangesOf(own.cidr, machine) : machine);
  return used === undefined ? undefined : `this machine uses ${used}`;
}

/** As the use of a machine. */
const rangesOf = (cidr: string, machine?: MachineNetwork): MachineNetwork => ({
  ranges: [...(machine?.ranges ?? []), { cidr }],
  interfaces: machine?.interfaces ?? [],
});

/** Two that have come to the same range by other ways (a data directory that was carried here) cannot both be up. */
async function refuseShared(paths: Paths, known: string, beside: readonly SteadBeside[]): Promise<void> {
  const sharing = beside.filter(({ serviceCidr }) => useOf(known, rangesOf(serviceCidr)) !== undefined);
  if (sharing.length === 0) return;
  const { interfaces } = await readMachineNetwork(runCommand);
  const up = sharing.find(({ data }) => interfaces.some(({ alias }) => alias === ownerOf(pathsOf(data))));
  if (!up) return;
  throw new UserError(
    `The Services of ${paths.data} have addresses of ${known}, and so have those of the stead in ${up.data}, which is up: end that one first (stead down --data-dir ${up.data}).`,
  );
}
