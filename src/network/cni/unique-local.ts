// Ranges of IPv6 that are nobody's in the world: unique local addresses (RFC 4193), whose 40 random bits make it unlikely that
// two networks that ever meet have the same. Pure, but for the chance that it is handed.
import type { Random } from '../../base/clock.ts';
import { formatIp, type IpRange, parseIpRange } from '../../base/ip.ts';

const FIRST_OCTET = 0xfdn;
const RANDOM_BITS = 40;

/** The first range of a new site, with a prefix of so many bits, that nobody uses. */
export function uniqueLocalRange(
  random: Random,
  prefixLength: number,
  isFree: (range: IpRange) => boolean,
): IpRange {
  for (;;) {
    const site = (FIRST_OCTET << 40n) | BigInt(Math.floor(random.next() * 2 ** RANDOM_BITS));
    const range = parseIpRange(`${formatIp({ family: 'IPv6', value: site << 80n })}/${prefixLength}`);
    if (range && isFree(range)) return range;
  }
}
