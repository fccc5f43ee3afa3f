// The CNI configuration by which containerd gives each pod its interface and address.
import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PodNetwork, podRangesOf } from '../../api/between/pod-network.ts';

const CNI_CACHE = '/var/lib/cni';
/** libcni notes here what it did for each pod, whatever the configuration says; others on the machine may, too. */
export const CNI_RESULTS = join(CNI_CACHE, 'results');

/** Takes the places that libcni made away, if they are empty. */
export async function removeEmptyCniCache(): Promise<void> {
  for (const directory of [CNI_RESULTS, CNI_CACHE]) await rmdir(directory).catch(() => {});
}

/** The name under which leftovers of portmap are found again: part of its rules' comments. */
export function networkName(network: PodNetwork): string {
  return `stead-${network.bridge}`;
}

/**
 * The configuration list as JSON text.
 * @param leaseDirectory where addresses that are handed out are noted: below stead's data directory.
 */
export function cniConfig(network: PodNetwork, leaseDirectory: string): string {
  const list = {
    cniVersion: '0.4.0',
    name: networkName(network),
    plugins: [
      {
        type: 'bridge',
        bridge: network.bridge,
        isGateway: true,
        isDefaultGateway: true,
        // One rule for the whole network does it (firewall.ts), in place of a chain a pod.
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: leaseDirectory,
          ranges: podRangesOf(network).map(({ cidr, gateway }) => [{ subnet: cidr, gateway }]),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(list, undefined, 2)}\n`;
}

/**
 * Writes the configuration where containerd looks for it.
 * @param places.confDirectory the CNI configuration directory, for this file alone.
 * @param places.leaseDirectory see `cniConfig`.
 */
export async function writeCniConfig(
  network: PodNetwork,
  places: { confDirectory: string; leaseDirectory: string },
): Promise<void> {
  await mkdir(places.confDirectory, { recursive: true });
  const file = join(places.confDirectory, 'stead.conflist');
  const text = cniConfig(network, places.leaseDirectory);
  // Nothing is written that is there already: the disk may be full, and pods run on all the same.
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return;
  // containerd watches the directory: it must never see half a file.
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}
