// The pod network of a data directory: chosen once, so that pods that outlive stead keep addresses that lead to them.
import { readFile, writeFile } from 'node:fs/promises';
import type { PodNetwork } from '../api/pod-network.ts';
import { readMachineNetwork } from '../network/cni/machine-network.ts';
import { choosePodNetwork } from '../network/cni/pod-network.ts';
import { runCommand } from '../node/machine/command.ts';
import type { Paths } from './paths.ts';

/** The network chosen when the data directory was new: pods that still run have addresses of it. */
export async function podNetworkOf(paths: Paths): Promise<PodNetwork> {
  const known = await readPodNetwork(paths);
  if (known) return known;
  const network = choosePodNetwork(await readMachineNetwork(runCommand));
  await writeFile(paths.network, `${JSON.stringify(network)}\n`);
  return network;
}

/** The network of a data directory, if it has one. */
export async function readPodNetwork(paths: Paths): Promise<PodNetwork | undefined> {
  try {
    return JSON.parse(await readFile(paths.network, 'utf8'));
  } catch {
    return undefined;
  }
}
