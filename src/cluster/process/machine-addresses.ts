// Which addresses this machine has that others can reach: not loopback, and not those of bridges and pods.
import { networkInterfaces } from 'node:os';
import type { RunCommand } from '../../base/machine-command.ts';
import { hasIPv6 } from '../../network/cni/ipv6.ts';

/** Bridges of ours and of others who run containers, and the ends of pods' interfaces. */
const OF_CONTAINERS = /^(stead|docker|br-|veth|cni)/;

/** IPv4, in the order of the interfaces. */
export function machineAddresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    OF_CONTAINERS.test(name)
      ? []
      : list.flatMap(({ address, family, internal }) => (family === 'IPv4' && !internal ? [address] : [])),
  );
}

interface AddressEntry {
  ifname?: string;
  addr_info?: Array<{ local?: string; temporary?: boolean; deprecated?: boolean; tentative?: boolean }>;
}

/** IPv6 that stays: neither of a link alone, nor one that the machine makes for a day to be less known. */
export async function machineIPv6(run: RunCommand): Promise<string[]> {
  if (!hasIPv6()) return [];
  const text = await run('ip', ['-json', '-6', 'address', 'show', 'scope', 'global']);
  const entries: AddressEntry[] = text.trim() ? JSON.parse(text) : [];
  return entries.flatMap(({ addr_info = [], ifname = '' }) =>
    ifname === 'lo' || OF_CONTAINERS.test(ifname)
      ? []
      : addr_info.flatMap(({ deprecated, local, temporary, tentative }) =>
          local === undefined || deprecated || temporary || tentative ? [] : [local],
        ),
  );
}
