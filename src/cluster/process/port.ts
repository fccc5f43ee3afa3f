// The API's port: whether it can be had, and what is said when it cannot.
import { createServer, isIPv6 } from 'node:net';
import { machineAddresses } from './machine-addresses.ts';
import { UserError } from './user-error.ts';

/** Where the API listens in any case. */
export const HOST = '127.0.0.1';

/** Where the API listens: on this machine alone, and where `--bind-address` says. */
export function addressesOf(bindAddress: string | undefined): readonly [string, ...string[]] {
  if (bindAddress === undefined || bindAddress === HOST) return [HOST];
  return isWildcard(bindAddress) ? [bindAddress] : [HOST, bindAddress];
}

/** Whether who listens there listens on every IPv4 address: Linux gives IPv6's wildcard those, too. */
export const isWildcard = (address: string): boolean =>
  address === '0.0.0.0' || (isIPv6(address) && /^[0:]+$/.test(address));

/**
 * Where others than this machine reach the API, if they do. Simulated pods never ask, and loopback is no endpoint of a
 * Service (upstream's validation refuses it): without one, the API's Service leads nowhere.
 */
export function reachableAddress(bindAddress: string | undefined): string | undefined {
  if (bindAddress === undefined || isLoopback(bindAddress)) return undefined;
  return isWildcard(bindAddress) ? machineAddresses()[0] : bindAddress;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/**
 * Takes the port for a moment.
 * @throws UserError if it cannot be had.
 */
export async function checkPort(port: number, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, address, resolve);
      });
    } catch (error) {
      throw portError(error, port);
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }
}

/**
 * The sentence for an error of a port that was to be opened; anything else is given back as it is.
 * @param asked as `--port` has it.
 */
export function portError(error: unknown, asked: number): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const address = 'address' in error ? error.address : HOST;
  const port = 'port' in error ? error.port : asked;
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError(
        `Port ${port} on ${address} is in use: end what listens there, or give another --port.`,
      );
    case 'EACCES':
      return new UserError(
        `Port ${port} on ${address} may not be used by this user: give a --port above 1023.`,
      );
    case 'EADDRNOTAVAIL':
      return new UserError(
        `This machine has no address ${address}: give one that it has as --bind-address, or 0.0.0.0 for all of them.`,
      );
    default:
      return error;
  }
}
