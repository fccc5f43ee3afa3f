// Keeps the EndpointSlices of every service that selects pods: a key per service, one pass for a burst of changes.
import { nodes } from '../../api/resources/nodes/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { ENDPOINT_SLICE_CONTROLLER } from '../../api/service-endpoints.ts';
import { runController } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { ServicePods } from '../service-pods.ts';
import { SliceWriter } from '../slice-writer.ts';
import { TriggerTimes } from '../trigger-times.ts';
import { planSlices } from './plan.ts';

/** Runs the EndpointSlice controller until the context's signal. */
export async function runEndpointSlicesController(context: RunContext): Promise<void> {
  const { informers } = context;
  const writer = new SliceWriter(context, ENDPOINT_SLICE_CONTROLLER);
  const servicePods = new ServicePods(informers);
  const allNodes = informers.of(nodes);
  const times = new TriggerTimes();
  await runController(context, 'endpoint_slice', {
    workers: 4,
    reads: [allNodes],
    watches: [...servicePods.watches(), writer.watch()],
    async reconcile(key) {
      const service = informers.of(services).get(key.namespace, key.name);
      const selected = servicePods.of(service, key);
      // A service that is gone takes its slices along by their owner reference.
      if (!service) {
        writer.forget(key);
        times.forget(key);
      }
      if (!service || !selected) return;
      const triggerTime = times.of(key, service, selected);
      const slices = writer.slicesOf(key);
      const node = (name: string) => allNodes.get(undefined, name);
      await writer.carryOut(key, planSlices({ service, pods: selected, slices, node, triggerTime }));
    },
  });
}
