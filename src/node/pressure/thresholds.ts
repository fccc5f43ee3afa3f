// When a node counts as short of disk: the signals, the limits, and their text form as kubelet's flags have it
// (kubelet eviction/helpers.go, ParseThresholdConfig). Pure.
import { parseQuantity } from '../../api/quantity.ts';

/** nodefs is the disk of the data directory; imagefs that of containerd, which is nearly always the same. */
const SIGNALS = ['imagefs.available', 'imagefs.inodesFree', 'nodefs.available', 'nodefs.inodesFree'] as const;
export type Signal = (typeof SIGNALS)[number];

/** An amount of bytes or inodes, a share of all there are (0 to 1), or the smaller of both. */
export interface Limit {
  amount?: number;
  share?: number;
}

export interface Threshold {
  signal: Signal;
  /** Met when less than this is left. */
  limit: Limit;
  /** Once it was met, so much more than the limit must be left before it counts as over. */
  minimumReclaim?: Limit;
}

const MIB = 1024 * 1024;

/**
 * Upstream's shares, but at most 256 MiB: a tenth of a large disk is tens of gigabytes, and a machine that people work
 * on, whose disk is nine tenths full, is not short of anything.
 */
export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  { signal: 'imagefs.available', limit: { share: 0.15, amount: 256 * MIB } },
  { signal: 'imagefs.inodesFree', limit: { share: 0.05, amount: 10_000 } },
  { signal: 'nodefs.available', limit: { share: 0.1, amount: 256 * MIB } },
  { signal: 'nodefs.inodesFree', limit: { share: 0.05, amount: 10_000 } },
];

/** What a limit comes to where there are `capacity` bytes or inodes in all. */
export function amountOf(limit: Limit, capacity: number): number {
  const share = limit.share === undefined ? Number.POSITIVE_INFINITY : Math.floor(limit.share * capacity);
  return Math.min(share, limit.amount ?? Number.POSITIVE_INFINITY);
}

/**
 * Reads `nodefs.available<10%,imagefs.available<1Gi`. As upstream, what is not named has no limit then, and neither has
 * what is given 0% or 100%.
 * @throws RangeError that says which part is wrong and how it should look.
 */
export function parseThresholds(text: string): Threshold[] {
  return parts(text).flatMap((part) => {
    const [signal, value] = split(part, '<', 'nodefs.available<10%');
    if (value === '0%' || value === '100%') return [];
    const limit = parseLimit(part, value);
    if (limit.amount === 0) throw new RangeError(`eviction threshold ${signal} must be positive: ${value}`);
    return [{ signal, limit }];
  });
}

/**
 * The thresholds with `nodefs.available=500Mi,imagefs.available=2%`: how much more must be free again.
 * @throws RangeError that says which part is wrong and how it should look.
 */
export function withMinimumReclaim(thresholds: readonly Threshold[], text: string): Threshold[] {
  const reclaims = new Map(
    parts(text).map((part) => {
      const [signal, value] = split(part, '=', 'nodefs.available=500Mi');
      return [signal, parseLimit(part, value)] as const;
    }),
  );
  return thresholds.map((threshold) => {
    const minimumReclaim = reclaims.get(threshold.signal);
    return minimumReclaim ? { ...threshold, minimumReclaim } : threshold;
  });
}

const parts = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

function split(part: string, operator: '<' | '=', example: string): [Signal, string] {
  const at = part.indexOf(operator);
  if (at < 0) throw new RangeError(`"${part}" is not of the form ${example}`);
  const name = part.slice(0, at).trim();
  const signal = SIGNALS.find((known) => known === name);
  if (signal === undefined) {
    throw new RangeError(`unsupported eviction signal ${name}: stead watches ${SIGNALS.join(', ')}`);
  }
  return [signal, part.slice(at + 1).trim()];
}

function parseLimit(part: string, value: string): Limit {
  if (value.endsWith('%')) {
    const percent = Number(value.slice(0, -1));
    if (value.length === 1 || !(percent >= 0 && percent <= 100)) {
      throw new RangeError(`"${part}": a percentage must be from 0% to 100%`);
    }
    return { share: percent / 100 };
  }
  const nano = parseQuantity(value);
  if (nano === undefined || nano < 0n) {
    throw new RangeError(`"${part}": ${value} is neither a percentage nor a positive amount (10%, 500Mi)`);
  }
  return { amount: Number(nano / 1_000_000_000n) };
}
