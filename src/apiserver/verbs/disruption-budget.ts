// What the disruption budget of a pod says to its eviction; what is granted is taken from the budget. The numbers are
// the disruption controller's. Follows pkg/registry/core/pod/storage/eviction.go (checkAndDecrement).

import { isReady } from '../../api/conditions.ts';
import { conflict, forbidden, OBJECT_WAS_MODIFIED, StatusError, tooManyRequests } from '../../api/errors.ts';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { selectorOf } from '../../api/selectors.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import type { Registry } from '../registry.ts';
import { CONFLICT_TRIES } from './update.ts';

const RETRY_AFTER_SECONDS = 10;
/** Evictions that the disruption controller has not seen yet; more mean that it does not look. */
const MAX_DISRUPTED_PODS = 2_000;
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";
const SUBJECT = { group: 'policy', plural: 'poddisruptionbudget', kind: 'PodDisruptionBudget' };

/** The eviction may go on. */
export interface Granted {
  /** The name of the budget that let it through only because the pod is not healthy; nothing was taken from it. */
  unhealthyBudget?: string;
}

/**
 * Asks the budget that covers the pod, if one does.
 * @throws TooManyRequests when it allows nothing, Conflict when it changes meanwhile, InternalError for several budgets.
 */
export async function askBudget(registry: Registry, pod: Stored<Pod>, dryRun: boolean): Promise<Granted> {
  const resource = registry.resource('policy', 'poddisruptionbudgets');
  if (!resource) return {};
  for (let attempt = 1; ; attempt++) {
    const granted = await askOnce(registry, resource, pod, dryRun);
    if (granted) return granted;
    if (attempt >= CONFLICT_TRIES) throw conflict(SUBJECT, pod.metadata.name, OBJECT_WAS_MODIFIED);
  }
}

/** Undefined when the budget changed meanwhile. */
async function askOnce(
  registry: Registry,
  resource: ResourceDefinition,
  pod: Stored<Pod>,
  dryRun: boolean,
): Promise<Granted | undefined> {
  const cache = await registry.cache(resource);
  const covering = [...cache.list(pod.metadata.namespace)].filter((object) => {
    const { spec } = object as Stored<PodDisruptionBudget>;
    return selectorOf(spec?.selector).matches(pod.metadata.labels);
  }) as Stored<PodDisruptionBudget>[];
  if (covering.length > 1) {
    throw new StatusError({
      message:
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      reason: 'InternalError',
      code: 500,
    });
  }
  const budget = covering[0];
  if (!budget) return {};
  if (!isReady(pod) && letsUnhealthyGo(budget)) return { unhealthyBudget: budget.metadata.name };
  requireRoom(budget);
  const next = { ...budget, status: withoutOne(budget, pod.metadata.name, timestamp(registry.clock.now())) };
  return (await registry.replace(resource, budget, next, dryRun)) && {};
}

/** A pod that is not ready does not count, so that nothing is lost with it: with enough healthy ones, or if asked so. */
function letsUnhealthyGo({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function requireRoom({ metadata, status }: Stored<PodDisruptionBudget>): void {
  const { name, generation = 0 } = metadata;
  const { disruptionsAllowed = 0, disruptedPods = {}, observedGeneration = 0 } = status ?? {};
  if (observedGeneration < generation) throw stillProcessed(name);
  if (disruptionsAllowed < 0) throw forbidden(SUBJECT, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MAX_DISRUPTED_PODS) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw forbidden(SUBJECT, name, why);
  }
  if (disruptionsAllowed > 0) return;
  const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {};
  const message = `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  throw refused(message);
}

/** The refusal of a budget that is about to change; only it says when to ask again. */
export function stillProcessed(budget: string): StatusError {
  return refused(`The disruption budget ${budget} is still being processed by the server.`, true);
}

function refused(message: string, isSoonOver = false): StatusError {
  const { status } = tooManyRequests(REFUSED, RETRY_AFTER_SECONDS);
  const causes = [{ reason: 'DisruptionBudget', message }];
  // Clients wait for that long before they see a refusal.
  return new StatusError({ ...status, details: { ...(isSoonOver ? status.details : {}), causes } });
}

/** The status with one disruption less, and the pod that it went to. */
function withoutOne(
  { status = {} }: Stored<PodDisruptionBudget>,
  podName: string,
  now: string,
): PodDisruptionBudgetStatus {
  const disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  const disruptedPods = { ...status.disruptedPods, [podName]: now };
  if (disruptionsAllowed > 0) return { ...status, disruptionsAllowed, disruptedPods };
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'DisruptionAllowed');
  const none: (typeof others)[number] = present({
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    observedGeneration: status.observedGeneration,
    lastTransitionTime: now,
  });
  return { ...status, disruptionsAllowed, disruptedPods, conditions: [...others, none] };
}
