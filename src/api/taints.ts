// Taints of nodes and the tolerations of pods: the well-known keys, and whether one answers the other.
import type { Taint, Toleration } from './generated/types.ts';

export const TAINT_NOT_READY = 'node.kubernetes.io/not-ready';
export const TAINT_UNREACHABLE = 'node.kubernetes.io/unreachable';
export const TAINT_UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
/** The taints of a node whose condition of the type is True. */
export const CONDITION_TAINTS: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
export const TAINT_OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Whether a toleration speaks of a taint, whatever of its value; empty parts speak of everything. */
export function isAbout({ key, effect }: Toleration, taint: Taint): boolean {
  return (!key || key === taint.key) && (!effect || effect === taint.effect);
}

/** Whether the toleration answers the taint (`Toleration.ToleratesTaint` upstream): empty parts answer everything. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { operator = 'Equal', value = '' } = toleration;
  if (!isAbout(toleration, taint)) return false;
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''));
}

/** The first taint that none of the tolerations answers. */
export function untolerated(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
}
