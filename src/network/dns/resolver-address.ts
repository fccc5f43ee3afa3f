// Where a resolver beyond the cluster is: as people write it, and as resolv.conf names it. Pure.
import { isIP } from 'node:net';

export interface ResolverAddress {
  /** An IP address. */
  address: string;
  port: number;
}

const DNS_PORT = 53;

/** Reads `10.0.0.2`, `10.0.0.2:5353`, `fd00::2` or `[fd00::2]:5353`; undefined for what is none of these. */
export function parseResolverAddress(text: string): ResolverAddress | undefined {
  if (isIP(text)) return { address: text, port: DNS_PORT };
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(portText);
  return isIP(address) === (bracketed ? 6 : 4) && port > 0 && port <= 0xffff ? { address, port } : undefined;
}

/** As `parseResolverAddress` reads it. */
export function formatResolverAddress({ address, port }: ResolverAddress): string {
  if (port === DNS_PORT) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The nameservers of a resolv.conf, in their order. */
export function nameserversOf(resolvConf: string): ResolverAddress[] {
  return resolvConf
    .split('\n')
    .flatMap((line) => parseResolverAddress(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '') ?? []);
}
