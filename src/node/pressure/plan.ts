// Which thresholds are met, and whether the node is under disk pressure. A pure function of what the disks say now
// and what was so before (kubelet eviction/eviction_manager.go, synchronize).
import type { Disk, Disks } from './disks.ts';
import { amountOf, type Signal, type Threshold } from './thresholds.ts';

/** What runs short, as upstream names it in messages. */
export type Resource = 'ephemeral-storage' | 'inodes';

export interface PressureRules {
  thresholds: readonly Threshold[];
  /** How long the condition stays after the last threshold was met, ms: pods are not let in and out in turns. */
  transitionPeriodMs: number;
}

/** What is remembered from one look to the next. */
export interface PressureState {
  /** Those that were met and whose minimum has not been reclaimed yet. */
  met: readonly Threshold[];
  lastMetAtMs: number | undefined;
}

export const NO_PRESSURE: PressureState = { met: [], lastMetAtMs: undefined };

export interface Assessment {
  state: PressureState;
  underPressure: boolean;
}

export function resourceOf(signal: Signal): Resource {
  return signal.endsWith('.inodesFree') ? 'inodes' : 'ephemeral-storage';
}

/** What is left and what there is in all, in bytes or inodes; undefined where nothing is counted. */
export function observationOf(
  disks: Disks,
  signal: Signal,
): { available: number; capacity: number } | undefined {
  const disk: Disk = signal.startsWith('imagefs.') ? (disks.images ?? disks.node) : disks.node;
  if (resourceOf(signal) === 'ephemeral-storage') {
    return { available: disk.availableBytes, capacity: disk.capacityBytes };
  }
  return disk.inodes === 0 ? undefined : { available: disk.inodesFree, capacity: disk.inodes };
}

/** What of the disk pods may request: all but what must be left for the node not to be short of it. */
export function allocatableBytes(thresholds: readonly Threshold[], node: Disk): number {
  const limits = thresholds.filter(({ signal }) => signal === 'nodefs.available').map(({ limit }) => limit);
  const kept = limits.map((limit) => amountOf(limit, node.capacityBytes));
  return Math.max(0, node.capacityBytes - Math.max(0, ...kept));
}

/** @param wholly whether the minimum reclaim counts too. */
export function thresholdsMet(thresholds: readonly Threshold[], disks: Disks, wholly: boolean): Threshold[] {
  return thresholds.filter(({ limit, minimumReclaim, signal }) => {
    const observed = observationOf(disks, signal);
    if (observed === undefined) return false;
    const more = wholly && minimumReclaim ? amountOf(minimumReclaim, observed.capacity) : 0;
    return observed.available < amountOf(limit, observed.capacity) + more;
  });
}

/** One look at the disks. */
export function assess(rules: PressureRules, disks: Disks, before: PressureState, nowMs: number): Assessment {
  const now = thresholdsMet(rules.thresholds, disks, false);
  const unresolved = thresholdsMet(before.met, disks, true);
  const met = rules.thresholds.filter((each) => now.includes(each) || unresolved.includes(each));
  const lastMetAtMs = met.length > 0 ? nowMs : before.lastMetAtMs;
  const isRecent = lastMetAtMs !== undefined && nowMs - lastMetAtMs < rules.transitionPeriodMs;
  return { state: { met, lastMetAtMs }, underPressure: met.length > 0 || isRecent };
}
