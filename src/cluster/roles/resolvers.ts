// The machine's own DNS resolvers, to which the cluster's server passes on what it does not know.
import { readFile } from 'node:fs/promises';
import { nameserversOf } from '../../network/dns/forward.ts';

/** @param own addresses that would lead back to the cluster's server. */
export async function machineResolvers(own: readonly string[]): Promise<string[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  return nameserversOf(text, own);
}
