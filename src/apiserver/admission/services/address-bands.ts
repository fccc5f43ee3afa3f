// The two parts of a range of addresses: the lower one is left to those who ask for an address by name, the upper one is
// given to those who take any, as long as there is something in it. Pure. Follows pkg/registry/core/service/ipallocator,
// calculateRangeOffset and allocateNextService.
import { firstAddress, lastAddress } from '../../../api/service-addresses.ts';
import type { IpRange } from '../../../base/ip.ts';

/** Neighbouring numbers, both included; none if the first is behind the last. */
export interface Band<N extends number | bigint> {
  first: N;
  last: N;
}

const LEAST = 16n;
const MOST = 256n;
const SHARE = 16n;

/** The parts of a range in the order in which they are tried. */
export function bandsOf(range: IpRange): Band<bigint>[] {
  const [first, last] = [firstAddress(range), lastAddress(range)];
  const size = range.last - range.first + 1n;
  if (size <= LEAST) return [{ first, last }];
  const share = size / SHARE;
  const offset = share < LEAST ? LEAST : share > MOST ? MOST : share;
  return [
    { first: first + offset, last },
    { first, last: first + offset - 1n },
  ];
}
