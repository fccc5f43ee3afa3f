// Reads what the machine's network looks like now, with iproute2's JSON.
import type { RunCommand } from '../../base/machine-command.ts';
import { hasIPv6 } from './ipv6.ts';
import type { MachineNetwork } from './pod-network.ts';

interface AddressEntry {
  ifname?: string;
  ifalias?: string;
  addr_info?: Array<{ local?: string; prefixlen?: number }>;
}

/** For the choice of a pod network. */
export async function readMachineNetwork(run: RunCommand): Promise<MachineNetwork> {
  const addresses: AddressEntry[] = parse(await run('ip', ['-json', 'address', 'show']));
  const links: AddressEntry[] = parse(await run('ip', ['-json', 'link', 'show']));
  const routes = (await Promise.all([routesOf(run, '-4'), hasIPv6() ? routesOf(run, '-6') : []])).flat();
  return {
    ranges: [
      ...addresses.flatMap(({ addr_info = [], ifname }) =>
        addr_info.flatMap(({ local, prefixlen }) =>
          local === undefined || prefixlen === undefined ? [] : { cidr: `${local}/${prefixlen}`, on: ifname },
        ),
      ),
      ...routes.flatMap(({ dev, dst }) => (dst && dst !== 'default' ? [{ cidr: dst, on: dev }] : [])),
    ],
    interfaces: links.flatMap(({ ifalias, ifname }) => (ifname ? [{ name: ifname, alias: ifalias }] : [])),
  };
}

const routesOf = async (
  run: RunCommand,
  family: '-4' | '-6',
): Promise<Array<{ dst?: string; dev?: string }>> =>
  parse(await run('ip', ['-json', family, 'route', 'show', 'table', 'all']));

/** iproute2 prints nothing, not an empty list, when there is nothing. */
function parse<T>(text: string): T[] {
  return text.trim() ? JSON.parse(text) : [];
}
