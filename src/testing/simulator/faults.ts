// How bad the weather is: the probabilities and delays that a faulty client and a faulty machine roll their dice with.
// The schedule changes them in the course of a run; at its end all is calm.
import type { Random } from '../../base/clock.ts';

export interface Weather {
  name: string;
  /** Chance that a request fails before it did anything. */
  failBefore: number;
  /** Chance that a write has happened and its answer is lost. */
  failAfter: number;
  /** Chance that an update is refused with a conflict although there is none. */
  conflict: number;
  /** Chance that a request is delayed, before or after it happens, by up to `delayMs`. */
  delayed: number;
  delayMs: number;
  /** Every batch of a watch comes later by up to this, ms. */
  watchLagMs: number;
  /** Chance that a batch of a watch is lost with its connection. */
  watchLost: number;
  /** Chance that a watch ends because its version is gone (410). */
  watchExpired: number;
  /** Chance that a step of the runtime, or of setting up a volume, fails. */
  runtimeFails: number;
  /** Steps of the runtime take up to this, ms. */
  runtimeMs: number;
}

export const CALM: Weather = {
  name: 'calm',
  failBefore: 0,
  failAfter: 0,
  conflict: 0,
  delayed: 0,
  delayMs: 0,
  watchLagMs: 0,
  watchLost: 0,
  watchExpired: 0,
  runtimeFails: 0,
  runtimeMs: 50,
};

const WEATHERS: readonly Weather[] = [
  CALM,
  { ...CALM, name: 'slow', delayed: 0.4, delayMs: 800, watchLagMs: 400, runtimeMs: 4000 },
  {
    ...CALM,
    name: 'lossy',
    failBefore: 0.08,
    failAfter: 0.08,
    conflict: 0.05,
    watchLost: 0.1,
    watchExpired: 0.02,
    runtimeFails: 0.1,
    runtimeMs: 1000,
  },
  { ...CALM, name: 'stale', delayed: 0.1, delayMs: 300, watchLagMs: 12_000, watchLost: 0.03 },
  {
    name: 'storm',
    failBefore: 0.2,
    failAfter: 0.2,
    conflict: 0.1,
    delayed: 0.3,
    delayMs: 3000,
    watchLagMs: 3000,
    watchLost: 0.15,
    watchExpired: 0.1,
    runtimeFails: 0.25,
    runtimeMs: 8000,
  },
];

export function anyWeather(random: Pick<Random, 'next'>): Weather {
  return pick(random, WEATHERS);
}

/** Any of the items, of which there must be one. */
export function pick<T>(random: Pick<Random, 'next'>, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Pick<Random, 'next'>, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1));
}
