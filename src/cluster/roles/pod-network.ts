// The pod network of a data directory: chosen once, so that pods that outlive stead keep addresses that lead to them, and
// looked at at every start, because another stead may have taken it while this one was down and the machine rebooted.
// What is done to the machine's network is done under a lock that all steads of the machine share.
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { hasPods, removeBridge, setUpBridge } from '../../network/cni/bridge.ts';
import { writeCniConfig } from '../../network/cni/config.ts';
import { removeFirewall } from '../../network/cni/firewall.ts';
import { readMachineNetwork } from '../../network/cni/machine-network.ts';
import {
  isOwnBridge,
  keepOrChoosePodNetwork,
  type MachineNetwork,
  useOf,
} from '../../network/cni/pod-network.ts';
import { runCommand } from '../../node/machine/command.ts';
import { LockedError, lockFile } from '../../store/file-lock.ts';
import type { Paths } from '../disk/paths.ts';
import { UserError } from '../process/user-error.ts';

export interface RunningPodNetwork extends PodNetwork {
  /** Where the CNI configuration lies, the only file there. */
  cniConfDirectory: string;
  /** Where the addresses that are handed out are noted. */
  leaseDirectory: string;
  /** What becomes of traffic to addresses of Services, for people. */
  services: string;
}

/** How long another stead may take over the machine's network, in seconds. */
const PATIENCE_SECONDS = 30;

/** The alias of this stead's bridge. */
const ownerOf = (paths: Paths): string => `stead ${paths.run}`;
const leasesOf = (paths: Paths): string => join(paths.data, 'cni', 'leases');

/**
 * Makes the network on the machine, as it was before or, if that belongs to somebody else now, another.
 * @param serviceCidr addresses of Services, to which nothing forwards: they are refused.
 * @throws UserError if another stead holds the machine's network up; CommandError if a program refuses.
 */
export async function setUpPodNetwork(paths: Paths, serviceCidr: string): Promise<RunningPodNetwork> {
  return alone(paths, async () => {
    const owner = ownerOf(paths);
    const known = await readPodNetwork(paths);
    const machine = await readMachineNetwork(runCommand);
    const network = keepOrChoosePodNetwork(known, machine, owner, [serviceCidr]);
    if (network !== known) {
      if (known) await leave(known, paths, machine);
      await writeFile(`${paths.network}.new`, `${JSON.stringify(network)}\n`);
      await rename(`${paths.network}.new`, paths.network);
    }
    const use = useOf(serviceCidr, machine);
    await setUpBridge(runCommand, network, { owner, refused: { cidr: serviceCidr, onHost: !use } });
    const cniConfDirectory = join(paths.data, 'cni', 'net.d');
    const leaseDirectory = leasesOf(paths);
    await writeCniConfig(network, { confDirectory: cniConfDirectory, leaseDirectory });
    const services = use
      ? `${serviceCidr}: refused to pods; the machine itself uses ${use}, so that it is not kept from it`
      : `${serviceCidr}: refused at once, nothing forwards to them yet`;
    return { ...network, cniConfDirectory, leaseDirectory, services };
  });
}

/** Takes it off the machine, if no pod hangs on it any more; the next start makes it again. */
export async function takeDownPodNetwork(paths: Paths): Promise<void> {
  await alone(paths, async () => {
    const network = await ownNetwork(paths);
    if (network && !(await hasPods(runCommand, network))) await removeBridge(runCommand, network);
  });
}

/** Takes it off the machine, with whatever still hangs on it. Idempotent; what is another's stays. */
export async function removePodNetwork(paths: Paths): Promise<void> {
  await alone(paths, async () => {
    const network = await ownNetwork(paths);
    if (network) await removeBridge(runCommand, network);
  });
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
  if (!isTaken(network, paths, machine)) await removeFirewall(runCommand, network);
}

async function alone<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  const directory = dirname(paths.run);
  await mkdir(directory, { recursive: true });
  const lock = await lockFile(join(directory, 'network.lock'), PATIENCE_SECONDS).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new UserError(
      `Another stead${error.pid ? ` (pid ${error.pid})` : ''} has been changing this machine’s network for ${PATIENCE_SECONDS} seconds: see what it does, and try again.`,
    );
  });
  try {
    return await work();
  } finally {
    lock.release();
    await rmdir(directory).catch(() => {});
  }
}
