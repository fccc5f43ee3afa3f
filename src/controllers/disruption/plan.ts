// How many pods of a PodDisruptionBudget may be taken away right now. A pure function. Follows
// pkg/controller/disruption/disruption.go.

import { conditionOf, isReady } from '../../api/conditions.ts';
import type {
  Condition,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';

/** An eviction that was allowed, and whose pod is still not being deleted after this long, is forgotten, ms. */
export const DELETION_TIMEOUT_MS = 2 * 60_000;

export interface DisruptionObservation {
  budget: Stored<PodDisruptionBudget>;
  /** The pods that the budget selects. */
  pods: readonly Stored<Pod>[];
  /** How many pods their controllers want in all; undefined if one of them has no scale. */
  wantedPods: number | undefined;
  nowMs: number;
}

/** The status as it should be; undefined if it is. */
export function planDisruption(observed: DisruptionObservation): PodDisruptionBudgetStatus | undefined {
  const { budget, pods, nowMs } = observed;
  const counted = count(observed);
  if (!counted) return failed(budget, nowMs);
  const disruptedPods = stillDisrupted(budget, pods, nowMs);
  const currentHealthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && !(pod.metadata.name in disruptedPods),
  ).length;
  const { expectedPods, desiredHealthy } = counted;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const enough = disruptionsAllowed > 0;
  const conditions = [allowed(budget, enough, enough ? 'SufficientPods' : 'InsufficientPods', '', nowMs)];
  const status: PodDisruptionBudgetStatus = present({
    observedGeneration: budget.metadata.generation,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptedPods: Object.keys(disruptedPods).length > 0 ? disruptedPods : undefined,
    conditions,
  });
  return sameStatus(status, budget.status) ? undefined : status;
}

function count({
  budget,
  pods,
  wantedPods,
}: DisruptionObservation): { expectedPods: number; desiredHealthy: number } | undefined {
  const { minAvailable, maxUnavailable } = budget.spec;
  if (maxUnavailable !== undefined) {
    if (wantedPods === undefined) return undefined;
    const most = roundUp(maxUnavailable, wantedPods);
    return { expectedPods: wantedPods, desiredHealthy: Math.max(0, wantedPods - most) };
  }
  if (typeof minAvailable === 'string') {
    if (wantedPods === undefined) return undefined;
    return { expectedPods: wantedPods, desiredHealthy: roundUp(minAvailable, wantedPods) };
  }
  return { expectedPods: pods.length, desiredHealthy: minAvailable ?? 0 };
}

function roundUp(value: number | string, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
}

/** Evictions that were allowed and have not shown on their pods yet. */
function stillDisrupted(
  budget: PodDisruptionBudget,
  pods: readonly Stored<Pod>[],
  nowMs: number,
): Record<string, string> {
  const present = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const entries = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, at]) => {
    const pod = present.get(name);
    return pod && !isTerminating(pod) && Date.parse(at) + DELETION_TIMEOUT_MS > nowMs;
  });
  return Object.fromEntries(entries);
}

function allowed(
  budget: Stored<PodDisruptionBudget>,
  yes: boolean,
  reason: string,
  message: string,
  nowMs: number,
): Condition {
  const status = yes ? 'True' : 'False';
  const before = conditionOf(budget, 'DisruptionAllowed');
  return present({
    type: 'DisruptionAllowed',
    status,
    reason,
    message,
    observedGeneration: budget.metadata.generation,
    lastTransitionTime:
      before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : timestamp(nowMs),
  });
}

/** How many pods are wanted cannot be told: nothing may be taken away. */
function failed(budget: Stored<PodDisruptionBudget>, nowMs: number): PodDisruptionBudgetStatus | undefined {
  const message =
    'found no controller with a scale for some of the pods: give minAvailable as a number, or select only pods of StatefulSets';
  const condition = allowed(budget, false, 'SyncFailed', message, nowMs);
  const status = { ...budget.status, disruptionsAllowed: 0, conditions: [condition] };
  return sameStatus(status, budget.status) ? undefined : status;
}

function sameStatus(a: PodDisruptionBudgetStatus, b: PodDisruptionBudgetStatus | undefined): boolean {
  const facts = (status: PodDisruptionBudgetStatus | undefined): string =>
    JSON.stringify([
      status?.observedGeneration,
      status?.disruptionsAllowed ?? 0,
      status?.currentHealthy ?? 0,
      status?.desiredHealthy ?? 0,
      status?.expectedPods ?? 0,
      Object.entries(status?.disruptedPods ?? {}).sort(),
      (status?.conditions ?? []).map((c) => [c.type, c.status, c.reason, c.message, c.observedGeneration]),
    ]);
  return b !== undefined && facts(a) === facts(b);
}
