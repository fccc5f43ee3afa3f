// The range of a data directory's Services, as it is kept there: chosen once (roles/service-range.ts), since their addresses
// are written in its objects.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { formatIPv4, type IPv4Range, overlap, parseIPv4Range } from '../../base/ipv4.ts';
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

/** The sizes that a range may have: upstream takes no larger one (pkg/controlplane/apiserver/options/validation.go). */
const BITS = { least: 12, most: 28 };
/** Whose addresses are no host's that others could reach. */
const UNUSABLE = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'];

/**
 * Reads a range that somebody asks for, and writes it as it is kept.
 * @returns the range, or what is wrong with it.
 */
export function parseServiceCidr(text: string): string | { why: string } {
  const bits = Number(text.split('/')[1]);
  const range = parseIPv4Range(text);
  if (!range || Number.isNaN(bits)) return { why: 'is no range of IPv4 addresses such as 10.96.0.0/16' };
  if (bits < BITS.least || bits > BITS.most)
    return { why: `has to have between ${BITS.least} and ${BITS.most} bits before its addresses begin` };
  const unusable = UNUSABLE.find((cidr) => sharesAddress(range, cidr));
  if (unusable !== undefined) return { why: `lies in ${unusable}, whose addresses lead nowhere` };
  return `${formatIPv4(range.first)}/${bits}`;
}

function sharesAddress(range: IPv4Range, cidr: string): boolean {
  const other = parseIPv4Range(cidr);
  return other !== undefined && overlap(range, other);
}
