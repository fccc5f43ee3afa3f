// What a machine's kernel has to do for pods with IPv6 addresses, and what it must not lose by it: a router listens to no other
// router any more, and the machine's own default route may come from one.
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';

const CONF = '/proc/sys/net/ipv6/conf';

/** Whether the kernel has IPv6 at all. */
export const hasIPv6 = (): boolean => existsSync(CONF);

/** Lets the bridge have addresses, also where the machine gives new interfaces none; pods are not its routers. */
export async function allowIPv6(bridge: string): Promise<void> {
  await set(bridge, 'accept_ra', '0');
  await set(bridge, 'disable_ipv6', '0');
}

/**
 * Has the kernel forward IPv6. Interfaces that take routes from a router's advertisements go on doing so, also as a router's
 * (`accept_ra` 2). As with IPv4, nothing of it is taken back: others may need it by then, and without forwarding the 2 means
 * what the 1 did.
 */
export async function forwardIPv6(): Promise<void> {
  if ((await get('all', 'forwarding')) === '1') return;
  for (const name of await readdir(CONF)) {
    // Where it has been turned on for the interface alone, the kernel did not listen before either.
    const listens = (await get(name, 'accept_ra')) === '1' && (await get(name, 'forwarding')) === '0';
    // It may have gone meanwhile.
    if (listens && name !== 'all' && name !== 'default') await set(name, 'accept_ra', '2').catch(() => {});
  }
  await set('all', 'forwarding', '1');
}

/** Undefined where the interface has gone meanwhile. */
const get = async (name: string, setting: string): Promise<string | undefined> =>
  readFile(`${CONF}/${name}/${setting}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

async function set(name: string, setting: string, value: string): Promise<void> {
  await writeFile(`${CONF}/${name}/${setting}`, `${value}\n`);
}
