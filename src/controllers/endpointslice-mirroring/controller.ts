// Mirrors Endpoints which somebody writes for a service without selector: a key per service, which is the Endpoints' own.
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { itself, runController, watch } from '../../client/controller.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { SliceWriter } from '../slice-writer.ts';
import { MAX_MIRRORED, MIRRORING_CONTROLLER, planMirror } from './plan.ts';

/** Runs the EndpointSlice mirroring controller until the context's signal. */
export async function runEndpointSliceMirroringController(context: RunContext): Promise<void> {
  const { informers } = context;
  const writer = new SliceWriter(context, MIRRORING_CONTROLLER);
  const recorder = createRecorder(context, 'endpoint-slice-mirroring-controller');
  const written = informers.of(endpoints);
  const allServices = informers.of(services);
  await runController(context, 'endpoint_slice_mirroring', {
    workers: 4,
    watches: [
      watch(written, { changed: itself, deleted: itself }),
      watch(allServices, { changed: itself, deleted: itself }),
      writer.watch(),
    ],
    async reconcile(key) {
      const { namespace, name } = key;
      const object = written.get(namespace, name);
      const service = allServices.get(namespace, name);
      const plan = planMirror({ endpoints: object, service, slices: writer.slicesOf(key) });
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
    },
  });
}
