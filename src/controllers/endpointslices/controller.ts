// The loop that keeps the EndpointSlices of every service that selects pods: a key per service, one pass for a burst of
// changes.
import { parseKey } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { ENDPOINT_SLICE_CONTROLLER, selectsPods } from '../../api/service-endpoints.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { gatherMs } from '../gather.ts';
import { podsOf, watchServicesAndPods } from '../service-pods.ts';
import { SliceWriter } from '../slice-writer.ts';
import { planSlices } from './plan.ts';

const WORKERS = 4;

/** Runs the EndpointSlice controller until the context's signal. */
export async function runEndpointSlicesController(context: RunContext): Promise<void> {
  const { informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('endpoint_slice'));
  const writer = new SliceWriter(context, ENDPOINT_SLICE_CONTROLLER);
  try {
    await Promise.all([
      informers.of(pods).synced(),
      informers.of(services).synced(),
      informers.of(nodes).synced(),
      informers.of(endpointSlices).synced(),
    ]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  /** How many pods each service had at the last look. */
  const podCounts = new Map<string, number>();

  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = parseKey(key);
    const service = informers.of(services).get(namespace, name);
    if (!service || service.metadata.deletionTimestamp || !selectsPods(service)) {
      podCounts.delete(key);
      // A service that is gone takes its slices along by their owner reference.
      if (!service) writer.forget(key);
      return;
    }
    const selected = podsOf(service, informers);
    podCounts.set(key, selected.length);
    const plan = planSlices({
      service,
      pods: selected,
      slices: writer.slicesOf(key),
      node: (nodeName) => informers.of(nodes).get(undefined, nodeName),
    });
    await writer.carryOut(key, plan);
  };

  const unsubscribe = [
    watchServicesAndPods(informers, (key) => queue.addAfter(key, gatherMs(podCounts.get(key) ?? 0))),
    writer.watch((key) => queue.add(key)),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}
