// UDP knows no end of a connection: whoever goes on sending from one port stays with the endpoint that he was led to
// first, whatever the rules say by now. Such entries of the kernel's connection tracking are removed when their endpoint has
// gone, and when a Service that had none gets its first. Follows pkg/proxy/conntrack/cleanup.go.
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import type { Family } from './family.ts';
import type { FrameOptions } from './frame.ts';
import type { UdpPort } from './plan.ts';

/** Which entries are to be removed, as arguments to conntrack(8). Pure. */
export function staleEntries(before: readonly UdpPort[], after: readonly UdpPort[]): string[][] {
  return before.flatMap((old) => {
    const now = after.find(({ family, port }) => family === old.family && port === old.port);
    const current = now?.endpoints ?? [];
    const gone = old.endpoints.filter((address) => !current.includes(address));
    if (old.endpoints.length === 0 && current.length > 0) return entries(old, []);
    return gone.flatMap((address) => entries(old, ['--dst-nat', address]));
  });
}

/**
 * Which entries are of packets that came while there were no rules, as arguments to conntrack(8): the kernel remembers that
 * they are led nowhere, for as long as their client goes on. Pure.
 * @param ranges the addresses of Services.
 */
export function missedEntries(ranges: FrameOptions['serviceRanges'], ports: readonly UdpPort[]): string[][] {
  return [
    // A connection that is being made is tried again by who makes it.
    ...ranges.map(({ cidr, family }) => [...all(family, 'tcp'), '--state', 'SYN_SENT', '--orig-dst', cidr]),
    ...ports.flatMap(({ addresses, family, nodePort, port }) => [
      ...addresses.map((address) => [
        ...[...all(family, 'udp'), '--orig-dst', address, '--orig-port-dst', `${port}`],
        ...['--reply-src', address],
      ]),
      ...(nodePort
        ? [[...all(family, 'udp'), '--orig-port-dst', `${nodePort}`, '--reply-port-src', `${nodePort}`]]
        : []),
    ]),
  ];
}

const all = ({ name }: Family, protocol: 'tcp' | 'udp'): string[] => [
  '-D',
  '-f',
  name.toLowerCase(),
  '-p',
  protocol,
];

function entries({ family, addresses, port, nodePort }: UdpPort, more: readonly string[]): string[][] {
  const ofFamily = all(family, 'udp');
  return [
    ...addresses.map((address) => [
      ...ofFamily,
      '--orig-dst',
      address,
      '--orig-port-dst',
      `${port}`,
      ...more,
    ]),
    ...(nodePort ? [[...ofFamily, '--orig-port-dst', `${nodePort}`, ...more]] : []),
  ];
}

/** @throws CommandError if conntrack is not installed or refuses. */
export async function removeEntries(run: RunCommand, commands: readonly string[][]): Promise<void> {
  for (const args of commands) {
    await run('conntrack', args).catch((error: unknown) => {
      // That is how it says that there were none.
      if (error instanceof CommandError && error.stderr.includes('0 flow entries have been deleted')) return;
      throw error;
    });
  }
}
