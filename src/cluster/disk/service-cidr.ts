// The ranges of a data directory's Services, as they are kept there: chosen once (roles/service-range.ts), since their addresses
// are written in its objects. One of IPv4, `10.96.0.0/16`, or with one of IPv6 behind it, `10.96.0.0/16,fd12:3456:789a::/112`.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { overlap, parseIpRange } from '../../base/ip.ts';
import type { Paths } from './paths.ts';

/** Undefined if there is none yet. */
export async function readServiceCidr({ services }: Paths): Promise<string | undefined> {
  const text = await readFile(services, 'utf8').catch(() => '');
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'serviceCidr' in parsed)
      return String(parsed.serviceCidr);
  } catch {
    // Missing, or written while the machine went down: there was no object then.
  }
  return undefined;
}

export async function writeServiceCidr({ services }: Paths, serviceCidr: string): Promise<void> {
  await writeFile(`${services}.new`, `${JSON.stringify({ serviceCidr })}\n`);
  await rename(`${services}.new`, services);
}

/** The sizes that a range may have: upstream takes none with other addresses (pkg/controlplane/apiserver/options/validation.go). */
const BITS = { IPv4: { least: 12, most: 28 }, IPv6: { least: 64, most: 124 } } as const;
/** Whose addresses are no host's that others could reach. */
const UNUSABLE = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/8',
  'fe80::/10',
  'ff00::/8',
];

/**
 * Reads what somebody asks for, and writes it as it is kept: a range of IPv4, and perhaps one of IPv6 behind it.
 * @returns the range or both, or what is wrong with them.
 */
export function parseServiceCidr(text: string): string | { why: string } {
  const parts = text.split(',');
  const ranges = parts.flatMap((part) => parseIpRange(part) ?? []);
  const families = ranges.map(({ family }) => family).join();
  if (ranges.length < parts.length || (families !== 'IPv4' && families !== 'IPv4,IPv6'))
    return {
      why: 'is no range of IPv4 addresses such as 10.96.0.0/16, alone or with one of IPv6 behind it, 10.96.0.0/16,fd00:96::/112',
    };
  for (const range of ranges) {
    const { least, most } = BITS[range.family];
    if (range.prefix < least || range.prefix > most)
      return {
        why: `has to have between ${least} and ${most} bits before its ${range.family} addresses begin`,
      };
    const unusable = UNUSABLE.find((cidr) => {
      const other = parseIpRange(cidr);
      return other !== undefined && overlap(range, other);
    });
    if (unusable !== undefined) return { why: `lies in ${unusable}, whose addresses lead nowhere` };
  }
  return ranges.map(({ cidr }) => cidr).join();
}

/** Its ranges, IPv4 first. */
export const rangesOf = (serviceCidr: string): string[] => serviceCidr.split(',');
