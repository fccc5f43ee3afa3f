// The bridge that all pods of the machine hang on. It is made before the first pod, so that the DNS server can
// listen on its address.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodNetwork, PodRange } from '../../api/between/pod-network.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import { CNI_RESULTS, networkName, removeEmptyCniCache } from './config.ts';
import { type RefusedRange, removeFirewall, setUpFirewall } from './firewall.ts';
import { allowIPv6, forwardIPv6 } from './ipv6.ts';

export interface BridgeOptions {
  /** Noted on the bridge as its alias, so that another stead does not take it for its own. */
  owner: string;
  /** Addresses that lead nowhere, and are refused at once. */
  refused?: readonly RefusedRange[];
}

/**
 * Makes bridge, address, forwarding and packet filter rules. Idempotent. Forwarding is not turned off again on
 * removal: by then others on the machine may need it.
 * @throws CommandError if iproute2 or iptables is missing or refuses.
 */
export async function setUpBridge(
  run: RunCommand,
  network: PodNetwork,
  { owner, refused = [] }: BridgeOptions,
): Promise<void> {
  const { bridge, gateway, ipv6 } = network;
  const exists = await linkExists(run, bridge);
  const steps = [
    ...(exists ? [] : [`link add ${bridge} type bridge`]),
    // A bridge that nobody has given an address takes the lowest of its ports', and with every pod that comes or goes
    // perhaps another: pods would send to the old one, and DNS would not hear them until they have noticed.
    `link set ${bridge} address ${exists ? await hardwareAddress(run, bridge) : hardwareAddressFor(gateway)}`,
    `link set ${bridge} alias "${owner}"`,
    `address replace ${gateway}/${prefixOf(network)} dev ${bridge}`,
    `link set ${bridge} up`,
  ];
  // One program makes all of it: whoever kills this process leaves no bridge of which nobody knows whose it is.
  await run('ip', ['-batch', '-'], { input: `${steps.join('\n')}\n` });
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1\n');
  if (ipv6) {
    await allowIPv6(bridge);
    // Nobody else has it: nothing is gained by a second in which nobody can listen on it yet.
    await run('ip', ['address', 'replace', `${ipv6.gateway}/${prefixOf(ipv6)}`, 'dev', bridge, 'nodad']);
    await forwardIPv6();
  }
  await setUpFirewall(run, network, refused);
}

const prefixOf = ({ cidr }: PodRange): string => cidr.split('/')[1] ?? '';

/** What the bridge has now: pods that run know it. sysfs may be that of another network namespace. */
async function hardwareAddress(run: RunCommand, bridge: string): Promise<string> {
  const [link]: Array<{ address?: string }> = JSON.parse(
    await run('ip', ['-json', 'link', 'show', 'dev', bridge]),
  );
  return link?.address ?? '';
}

/** Made of the IPv4 address, with the prefix that CNI plugins use: locally administered. */
function hardwareAddressFor(gateway: string): string {
  const octets = gateway.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['0a', '58', ...octets].join(':');
}

/** Whether a pod's interface hangs on the bridge. */
export async function hasPods(run: RunCommand, { bridge }: PodNetwork): Promise<boolean> {
  return (await linkExists(run, bridge)) && (await portsOf(run, bridge)).length > 0;
}

/** Takes it all down, with the pods' interfaces that still hang on it. Idempotent. */
export async function removeBridge(run: RunCommand, network: PodNetwork): Promise<void> {
  if (await linkExists(run, network.bridge)) {
    for (const name of await portsOf(run, network.bridge)) await removeLink(run, name);
    await removeLink(run, network.bridge);
  }
  await removeFirewall(run, network);
  await removeResultCache(network);
}

async function removeResultCache(network: PodNetwork): Promise<void> {
  for (const name of await readdir(CNI_RESULTS).catch(() => [])) {
    if (name.startsWith(`${networkName(network)}-`)) await rm(join(CNI_RESULTS, name), { force: true });
  }
  await removeEmptyCniCache();
}

async function portsOf(run: RunCommand, bridge: string): Promise<string[]> {
  const text = await run('ip', ['-json', 'link', 'show', 'master', bridge]);
  const ports: Array<{ ifname?: string }> = text.trim() ? JSON.parse(text) : [];
  return ports.flatMap(({ ifname }) => ifname ?? []);
}

/** The kernel takes away a pod's link with the pod's namespace, at a time of its own. */
async function removeLink(run: RunCommand, name: string): Promise<void> {
  await run('ip', ['link', 'delete', name]).catch(async (error: unknown) => {
    if (await linkExists(run, name)) throw error;
  });
}

async function linkExists(run: RunCommand, name: string): Promise<boolean> {
  return run('ip', ['link', 'show', 'dev', name]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CommandError && !error.notInstalled) return false;
      throw error;
    },
  );
}
