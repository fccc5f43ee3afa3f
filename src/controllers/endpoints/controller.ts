// The loop that keeps the Endpoints object of every service that selects pods: a key per service, one pass for a
// burst of changes.
import { isAlreadyExists, isNotFound } from '../../api/errors.ts';
import type { Endpoints } from '../../api/generated/types.ts';
import { keyOf, parseKey } from '../../api/objects.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { selectsPods } from '../../api/service-endpoints.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { gatherMs } from '../gather.ts';
import { podsOf, watchServicesAndPods } from '../service-pods.ts';
import { planEndpoints } from './plan.ts';

const WORKERS = 4;

/** Runs the Endpoints controller until the context's signal. */
export async function runEndpointsController(context: RunContext): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('endpoint'));
  const informer = informers.of(endpoints);
  try {
    await Promise.all([informers.of(pods).synced(), informers.of(services).synced(), informer.synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const podCounts = new Map<string, number>();

  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = parseKey(key);
    const service = informers.of(services).get(namespace, name);
    if (!service) return removeLeftover(key);
    if (service.metadata.deletionTimestamp || !selectsPods(service)) return void podCounts.delete(key);
    const selected = podsOf(service, informers);
    podCounts.set(key, selected.length);
    const existing = informer.get(namespace, name);
    const wanted = planEndpoints(service, selected, existing);
    if (!wanted) return;
    if (existing) await client.update(endpoints, wanted);
    else await createEndpoints(wanted);
  };

  const createEndpoints = async (wanted: Endpoints): Promise<void> => {
    try {
      await client.create(endpoints, wanted);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Made by us a moment ago, and the informer has not told of it yet.
      queue.addRateLimited(keyOf(wanted));
    }
  };

  const removeLeftover = async (key: string): Promise<void> => {
    podCounts.delete(key);
    const { namespace, name } = parseKey(key);
    const existing = informer.get(namespace, name);
    // Objects by this name that were not made here (leader election of old) are left alone.
    if (existing?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== 'endpoint-controller') return;
    try {
      await client.delete(endpoints, { namespace, name }, { preconditions: { uid: existing.metadata.uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const unsubscribe = [
    watchServicesAndPods(informers, (key) => queue.addAfter(key, gatherMs(podCounts.get(key) ?? 0))),
    informer.subscribe({
      added: (object) => queue.add(keyOf(object)),
      deleted: (object) => queue.add(keyOf(object)),
    }),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}
