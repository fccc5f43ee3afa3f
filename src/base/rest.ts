// How long who looks at something large again and again rests between two looks: what changes all the time is not looked
// at without pause, since each look costs in proportion to the size, and the news of a rest are one look.

/** A look that is shorter is no burden. */
const LONG_LOOK_MS = 2;
const REST_PER_LOOK = 10;
const MAX_REST_MS = 500;

/**
 * For what is large alone: what is small does not rest because others were busy while it was looked at.
 * @param lookedMs how long the last look took.
 * @returns how long to rest after it, ms; 0 for not at all.
 */
export function restAfter(lookedMs: number): number {
  return lookedMs < LONG_LOOK_MS ? 0 : Math.min(MAX_REST_MS, lookedMs * REST_PER_LOOK);
}
