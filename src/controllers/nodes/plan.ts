// How a node is: has it been heard of, which taints does that mean, and which of its pods do not put up with them. Pure
// functions. Follows pkg/controller/nodelifecycle and pkg/controller/tainteviction.

import { conditionOf, isConditionTrue } from '../../api/conditions.ts';
import type { Lease, Node, NodeCondition, Pod, Taint } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import {
  CONDITION_TAINTS,
  TAINT_NOT_READY,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
  tolerates,
} from '../../api/taints.ts';
import { timestamp } from '../../base/clock.ts';

/** A node whose lease was not renewed for so long is not heard of any more, ms. */
export const GRACE_MS = 40_000;

/** Conditions that a node reports, and what they become when it is silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

const MANAGED: ReadonlySet<string> = new Set([
  TAINT_NOT_READY,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
  ...Object.values(CONDITION_TAINTS),
]);

/** What tells that a node is alive: its lease, and its last heartbeat. */
export interface Heartbeat {
  /** Changes with every sign of life. */
  mark: string;
}

export function heartbeatOf(node: Node, lease: Lease | undefined): Heartbeat {
  const ready = conditionOf(node, 'Ready');
  return { mark: `${lease?.spec.renewTime ?? ''} ${ready?.lastHeartbeatTime ?? ''}` };
}

/** The conditions of a node that is silent; undefined if they say so already. */
export function silentConditions(node: Stored<Node>, nowMs: number): NodeCondition[] | undefined {
  const conditions = node.status?.conditions ?? [];
  const now = timestamp(nowMs);
  let changed = false;
  const known = conditions.map((condition) => {
    if (!REPORTED.includes(condition.type) || condition.status === 'Unknown') return condition;
    changed = true;
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    };
  });
  for (const type of REPORTED) {
    if (conditions.some((condition) => condition.type === type)) continue;
    changed = true;
    known.push({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime: now,
    });
  }
  return changed ? known : undefined;
}

/** The taints that the node's state means, beside those that others have put on it; undefined if it has them. */
export function wantedTaints(node: Node, nowMs: number): Taint[] | undefined {
  const wanted: Taint[] = [];
  const ready = conditionOf(node, 'Ready')?.status;
  if (ready !== 'True') {
    const key = ready === 'False' ? TAINT_NOT_READY : TAINT_UNREACHABLE;
    wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute', timeAdded: timestamp(nowMs) });
  }
  for (const [type, key] of Object.entries(CONDITION_TAINTS)) {
    if (isConditionTrue(node, type)) wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec.unschedulable) wanted.push({ key: TAINT_UNSCHEDULABLE, effect: 'NoSchedule' });

  const existing = node.spec.taints ?? [];
  const same = (a: Taint) => (b: Taint) => a.key === b.key && a.effect === b.effect;
  const kept = existing.filter((taint) => !MANAGED.has(taint.key) || wanted.some(same(taint)));
  const added = wanted.filter((taint) => !existing.some(same(taint)));
  return added.length === 0 && kept.length === existing.length ? undefined : [...kept, ...added];
}

/**
 * When the pod has to leave its node because of NoExecute taints, ms since the epoch; undefined: it may stay.
 * @param taintedSinceMs when the node was tainted, for taints that do not say it themselves.
 */
export function evictionTimeMs(pod: Pod, node: Node, taintedSinceMs: number): number | undefined {
  if (isTerminating(pod) || isPodFinished(pod)) return undefined;
  const taints = (node.spec.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
  let earliest: number | undefined;
  for (const taint of taints) {
    const tolerations = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    const since = taint.timeAdded ? Date.parse(taint.timeAdded) : taintedSinceMs;
    if (tolerations.length === 0) return since;
    const seconds = tolerations.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    if (seconds.length === 0) continue;
    const until = since + Math.max(0, Math.min(...seconds)) * 1000;
    earliest = Math.min(earliest ?? until, until);
  }
  return earliest;
}
