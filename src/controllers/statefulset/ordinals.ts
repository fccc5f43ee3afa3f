// Which ordinals a set wants: as many as it has replicas, from its start ordinal up, without those that
// `stead.dev/reserve-ordinals` keeps free.
import type { StatefulSet } from '../../api/generated/types.ts';
import { type OrdinalRange, optionsOf } from '../../api/stateful-set-options.ts';
import { replicasOf, startOrdinal } from './identity.ts';

/** The wanted ordinals, lowest first. */
export function wantedOrdinals(set: StatefulSet): number[] {
  const { reserved } = optionsOf(set);
  const wanted: number[] = [];
  const count = replicasOf(set);
  let next = 0;
  for (let ordinal = startOrdinal(set); wanted.length < count; ordinal++) {
    while ((reserved[next]?.last ?? ordinal) < ordinal) next++;
    const range = reserved[next];
    if (range && range.first <= ordinal) ordinal = range.last;
    else wanted.push(ordinal);
  }
  return wanted;
}

/** The place of an ordinal among the wanted ones; undefined if it is not wanted. */
export function indexOf(set: StatefulSet, ordinal: number): number | undefined {
  const start = startOrdinal(set);
  if (ordinal < start) return undefined;
  let index = ordinal - start;
  for (const range of optionsOf(set).reserved) {
    if (range.first > ordinal) break;
    if (range.last >= ordinal) return undefined;
    index -= reservedFrom(range, start);
  }
  return index < replicasOf(set) ? index : undefined;
}

/** How many ordinals of the range are not below the start. */
function reservedFrom({ first, last }: OrdinalRange, start: number): number {
  return Math.max(0, last - Math.max(first, start) + 1);
}
