// Which addresses this machine has that others can reach: not loopback, and not those of bridges and pods.
import { networkInterfaces } from 'node:os';

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
