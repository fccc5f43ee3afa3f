// How long to wait before trying again: exponential, capped, with jitter. A value; waiting is the caller's.

export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * The delay before the next attempt, after `failures` attempts have failed in a row (1 or more): doubled with
 * each, at most `maxMs`, then stretched by up to as much again by `chance` (0 to 1) so that many clients do not
 * come back at once.
 */
export function backoffDelay(limits: BackoffLimits, failures: number, chance: number): number {
  const exponent = Math.min(failures - 1, 40);
  return Math.min(limits.firstMs * 2 ** exponent, limits.maxMs) * (1 + chance);
}
