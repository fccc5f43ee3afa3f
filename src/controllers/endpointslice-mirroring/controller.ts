// The loop that mirrors Endpoints which somebody writes for a service without selector: a key per service, which is the
// Endpoints' own.
import { keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { SliceWriter } from '../slice-writer.ts';
import { MAX_MIRRORED, MIRRORING_CONTROLLER, planMirror } from './plan.ts';

const WORKERS = 4;

/** Runs the EndpointSlice mirroring controller until the context's signal. */
export async function runEndpointSliceMirroringController(context: RunContext): Promise<void> {
  const { client, informers, clock, random, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('endpoint_slice_mirroring'));
  const writer = new SliceWriter(context, MIRRORING_CONTROLLER);
  const recorder = createRecorder(
    client,
    clock,
    random,
    'endpoint-slice-mirroring-controller',
    '',
    log,
    signal,
  );
  const written = informers.of(endpoints);
  const allServices = informers.of(services);
  try {
    await Promise.all([written.synced(), allServices.synced(), informers.of(endpointSlices).synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = parseKey(key);
    const object = written.get(namespace, name);
    const plan = planMirror({
      endpoints: object,
      service: allServices.get(namespace, name),
      slices: writer.slicesOf(key),
    });
    if (object && plan.skipped > 0 && plan.create.length + plan.update.length > 0) {
      recorder.event(
        object,
        'Warning',
        'TooManyAddressesToMirror',
        `A max of ${MAX_MIRRORED} addresses can be mirrored to EndpointSlices per Endpoints subset. ${plan.skipped} addresses were skipped`,
      );
    }
    await writer.carryOut(key, plan);
    if (!object) writer.forget(key);
  };

  const changed = (object: Stored): void => queue.add(keyOf(object));
  const unsubscribe = [
    written.subscribe({ added: changed, updated: changed, deleted: changed }),
    allServices.subscribe({ added: changed, updated: changed, deleted: changed }),
    writer.watch((key) => queue.add(key)),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}
