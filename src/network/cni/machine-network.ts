// Reads what the machine's network looks like now, with iproute2's JSON.
import type { RunCommand } from '../../api/machine-command.ts';
import type { MachineNetwork } from './pod-network.ts';

interface AddressEntry {
  ifname?: string;
  addr_info?: Array<{ local?: string; prefixlen?: number }>;
}

/** For `choosePodNetwork`. */
export async function readMachineNetwork(run: RunCommand): Promise<MachineNetwork> {
  const addresses: AddressEntry[] = parse(await run('ip', ['-json', '-4', 'address', 'show']));
  const links: AddressEntry[] = parse(await run('ip', ['-json', 'link', 'show']));
  const routes: Array<{ dst?: string }> = parse(
    await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all']),
  );
  return {
    ranges: [
      ...addresses.flatMap((entry) =>
        (entry.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen ?? 32}`),
      ),
      ...routes.flatMap(({ dst }) => (dst && dst !== 'default' ? [dst] : [])),
    ],
    interfaces: links.flatMap(({ ifname }) => (ifname ? [ifname] : [])),
  };
}

/** iproute2 prints nothing, not an empty list, when there is nothing. */
function parse<T>(text: string): T[] {
  return text.trim() ? JSON.parse(text) : [];
}
