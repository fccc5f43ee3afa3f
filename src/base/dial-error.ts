// What is said when a connection cannot be made, in the words of Go's dialer, which upstream's probes and proxy use.

/** An IPv6 address as it stands in front of a port. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** `dial tcp 10.88.0.5:80: connect: connection refused`; other errors speak for themselves. */
export function dialError(host: string, port: number, error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const known = words[error.code ?? ''];
  return known ? `dial tcp ${bracketed(host)}:${port}: ${known}` : error.message;
}
