// Keeps the status of PodDisruptionBudgets, by which the eviction subresource decides.
import { isReady } from '../../api/conditions.ts';
import { orUndefined } from '../../api/errors.ts';
import type { Pod, StatefulSet } from '../../api/generated/types.ts';
import { controllerOf, type ObjectKey, type Stored } from '../../api/objects.ts';
import { podDisruptionBudgets } from '../../api/resources/pod-disruption-budgets/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { selectorOf } from '../../api/selectors.ts';
import { itself, runController, watch } from '../../client/controller.ts';
import type { Informers } from '../../client/informers.ts';
import type { RunContext } from '../../client/run-context.ts';
import { gatherMs } from '../gather.ts';
import { DELETION_TIMEOUT_MS, planDisruption } from './plan.ts';

/** Runs the disruption controller until the context's signal. */
export async function runDisruptionController(context: RunContext): Promise<void> {
  const { client, clock, informers } = context;
  const budgets = informers.of(podDisruptionBudgets);
  const allPods = informers.of(pods);
  const ofPod = (pod: Stored<Pod>): ObjectKey[] =>
    budgets
      .list(pod.metadata.namespace)
      .filter((budget) => selectorOf(budget.spec.selector).matches(pod.metadata.labels))
      .flatMap(itself);
  const ofSet = (set: Stored<StatefulSet>): ObjectKey[] =>
    budgets.list(set.metadata.namespace).flatMap(itself);
  await runController(context, 'disruption', {
    workers: 2,
    watches: [
      watch(budgets, { changed: itself }),
      watch(informers.of(statefulSets), {
        added: ofSet,
        updated: (set, old) => (set.spec?.replicas === old.spec?.replicas ? [] : ofSet(set)),
      }),
      watch(
        allPods,
        {
          added: ofPod,
          updated: (pod, old) => (facts(pod) === facts(old) ? [] : ofPod(pod)),
          deleted: ofPod,
        },
        ({ namespace }) => gatherMs(allPods.list(namespace).length),
      ),
    ],
    async reconcile({ namespace, name }) {
      const budget = budgets.get(namespace, name);
      if (!budget) return;
      const selector = selectorOf(budget.spec.selector);
      const selected = allPods.list(namespace).filter((pod) => selector.matches(pod.metadata.labels));
      const wantedPods = scaleOf(selected, informers);
      const status = planDisruption({ budget, pods: selected, wantedPods, nowMs: clock.now() });
      if (status) {
        const write = client.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status' });
        await orUndefined(write);
      }
      return budget.status?.disruptedPods ? { requeueAfterMs: DELETION_TIMEOUT_MS } : {};
    },
  });
}

const facts = (pod: Pod): string =>
  JSON.stringify([isReady(pod), pod.metadata.deletionTimestamp, pod.metadata.labels]);

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
