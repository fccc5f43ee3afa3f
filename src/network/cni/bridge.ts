// The bridge that all pods of the machine hang on. It is made before the first pod, so that the DNS server can
// listen on its address.
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type RunCommand } from '../../api/machine-command.ts';
import type { PodNetwork } from '../../api/pod-network.ts';
import { networkName } from './config.ts';
import { removeFirewall, setUpFirewall } from './firewall.ts';

/**
 * Makes bridge, address, forwarding and packet filter rules. Idempotent. Forwarding is not turned off again on
 * removal: by then others on the machine may need it.
 * @throws CommandError if iproute2 or iptables is missing or refuses.
 */
export async function setUpBridge(run: RunCommand, network: PodNetwork): Promise<void> {
  const { bridge, cidr, gateway } = network;
  if (!(await linkExists(run, bridge))) await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'replace', `${gateway}/${cidr.split('/')[1]}`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1\n');
  await setUpFirewall(run, network);
}

/** Takes it all down, with the pods' interfaces that still hang on it. Idempotent. */
export async function removeBridge(run: RunCommand, network: PodNetwork): Promise<void> {
  if (await linkExists(run, network.bridge)) {
    const ports: Array<{ ifname?: string }> = parse(
      await run('ip', ['-json', 'link', 'show', 'master', network.bridge]),
    );
    for (const { ifname } of ports) if (ifname) await run('ip', ['link', 'delete', ifname]);
    await run('ip', ['link', 'delete', network.bridge]);
  }
  await removeFirewall(run, network);
  await removeResultCache(network);
}

/** libcni notes here what it did for each pod, whatever the configuration says; others on the machine may, too. */
const CNI_CACHE = '/var/lib/cni';

async function removeResultCache(network: PodNetwork): Promise<void> {
  const results = join(CNI_CACHE, 'results');
  for (const name of await readdir(results).catch(() => [])) {
    if (name.startsWith(`${networkName(network)}-`)) await rm(join(results, name), { force: true });
  }
  for (const directory of [results, CNI_CACHE]) await rmdir(directory).catch(() => {});
}

function parse<T>(text: string): T[] {
  return text.trim() ? JSON.parse(text) : [];
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
