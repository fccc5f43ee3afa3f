// The loop that keeps the status of PodDisruptionBudgets, by which the eviction subresource decides.
import { isNotFound } from '../../api/errors.ts';
import type { Pod, PodDisruptionBudget, StatefulSet } from '../../api/generated/types.ts';
import { controllerOf, keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { isPodReady } from '../../api/pod-state.ts';
import { podDisruptionBudgets } from '../../api/resources/pod-disruption-budgets/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { selectorOf } from '../../api/selectors.ts';
import type { Informers } from '../../client/informers.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { gatherMs } from '../gather.ts';
import { DELETION_TIMEOUT_MS, planDisruption } from './plan.ts';

const WORKERS = 2;

/** Runs the disruption controller until the context's signal. */
export async function runDisruptionController(context: RunContext): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('disruption'));
  const budgets = informers.of(podDisruptionBudgets);
  try {
    await Promise.all([budgets.synced(), informers.of(pods).synced(), informers.of(statefulSets).synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  const reconcile = async (key: string): Promise<{ requeueAfterMs: number } | undefined> => {
    const { namespace, name } = parseKey(key);
    const budget = budgets.get(namespace, name);
    if (!budget) return undefined;
    const selector = selectorOf(budget.spec.selector);
    const selected = informers
      .of(pods)
      .list(namespace)
      .filter((pod) => selector.matches(pod.metadata.labels));
    const wantedPods = scaleOf(selected, informers);
    const status = planDisruption({ budget, pods: selected, wantedPods, nowMs: clock.now() });
    try {
      if (status) await client.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return budget.status?.disruptedPods ? { requeueAfterMs: DELETION_TIMEOUT_MS } : undefined;
  };

  const podChanged = (pod: Stored<Pod>): void => {
    const inNamespace = budgets.list(pod.metadata.namespace);
    if (inNamespace.length === 0) return;
    const wait = gatherMs(informers.of(pods).list(pod.metadata.namespace).length);
    for (const budget of inNamespace) {
      if (selectorOf(budget.spec.selector).matches(pod.metadata.labels)) queue.addAfter(keyOf(budget), wait);
    }
  };
  const budgetChanged = (budget: Stored<PodDisruptionBudget>): void => queue.add(keyOf(budget));
  const setChanged = (set: Stored<StatefulSet>): void => {
    for (const budget of budgets.list(set.metadata.namespace)) queue.add(keyOf(budget));
  };
  const unsubscribe = [
    budgets.subscribe({ added: budgetChanged, updated: budgetChanged }),
    informers.of(statefulSets).subscribe({
      added: setChanged,
      updated: (set, old) => {
        if (set.spec?.replicas !== old.spec?.replicas) setChanged(set);
      },
    }),
    informers.of(pods).subscribe({
      added: podChanged,
      updated: (pod, old) => {
        if (facts(pod) !== facts(old)) podChanged(pod);
      },
      deleted: podChanged,
    }),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}

const facts = (pod: Pod): string =>
  JSON.stringify([isPodReady(pod), pod.metadata.deletionTimestamp, pod.metadata.labels]);

/** How many pods the sets of these pods want together; undefined if a pod has no set. */
function scaleOf(selected: readonly Stored<Pod>[], informers: Informers): number | undefined {
  const wanted = new Map<string, number>();
  for (const pod of selected) {
    const owner = controllerOf(pod);
    if (owner?.kind !== 'StatefulSet') return undefined;
    const set = informers.of(statefulSets).get(pod.metadata.namespace, owner.name);
    if (set?.metadata.uid !== owner.uid) return undefined;
    wanted.set(owner.uid, set.spec?.replicas ?? 1);
  }
  return [...wanted.values()].reduce((sum, replicas) => sum + replicas, 0);
}
