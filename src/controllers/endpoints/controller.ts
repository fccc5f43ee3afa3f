// Keeps the Endpoints object of every service that selects pods: a key per service, one pass for a burst of changes.
import { isAlreadyExists, orUndefined } from '../../api/errors.ts';
import type { ObjectKey } from '../../api/objects.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { itself, runController, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { ServicePods } from '../service-pods.ts';
import { TriggerTimes } from '../trigger-times.ts';
import { planEndpoints } from './plan.ts';

/** Runs the Endpoints controller until the context's signal. */
export async function runEndpointsController(context: RunContext): Promise<void> {
  const { client, informers } = context;
  const informer = informers.of(endpoints);
  const servicePods = new ServicePods(informers);
  const times = new TriggerTimes();

  const removeLeftover = async (key: ObjectKey): Promise<void> => {
    const existing = informer.get(key.namespace, key.name);
    // Objects by this name that were not made here (leader election of old) are left alone.
    if (existing?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== 'endpoint-controller') return;
    await orUndefined(client.delete(endpoints, key, { preconditions: { uid: existing.metadata.uid } }));
  };

  await runController(context, 'endpoint', {
    workers: 4,
    watches: [...servicePods.watches(), watch(informer, { added: itself, deleted: itself })],
    async reconcile(key, queue) {
      const { namespace, name } = key;
      const service = informers.of(services).get(namespace, name);
      const selected = servicePods.of(service, key);
      if (!service) {
        times.forget(key);
        return removeLeftover(key);
      }
      if (!selected) return;
      const existing = informer.get(namespace, name);
      const wanted = planEndpoints(service, selected, existing, times.of(key, service, selected));
      if (!wanted) return;
      try {
        if (existing) await client.update(endpoints, wanted);
        else await client.create(endpoints, wanted);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        // Made by us a moment ago, and the informer has not told of it yet.
        queue.addRateLimited(key);
      }
    },
  });
}
