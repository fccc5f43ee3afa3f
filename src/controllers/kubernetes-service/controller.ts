// Keeps the API server's own Service, by which pods find it: made again when somebody deletes it, put right when somebody
// changes it, and led to wherever pods reach the API now. There is one server: its address is the only one. (Upstream's
// servers each hold a lease for theirs: pkg/controlplane/reconcilers/lease.go.)
import { isAlreadyExists, orUndefined } from '../../api/errors.ts';
import type { EndpointSlice, Endpoints, Service } from '../../api/generated/types.ts';
import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { assertNever } from '../../base/assert-never.ts';
import type { Client } from '../../client/client.ts';
import { runController, type Watch, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { type ApiAddress, KUBERNETES, type KubernetesAction, planKubernetes } from './plan.ts';

/** The API as pods find it. */
export interface KubernetesServiceOptions {
  /** The Service's address: the first of the range. */
  clusterIp: string;
  /** The port that the API listens on. */
  port: number;
  /** Where pods reach it now; undefined if they do not. */
  address: {
    current(): ApiAddress | undefined;
    /** Calls back when there is another. Returns what ends that. */
    onChange(listener: () => void): () => void;
  };
}

/** Runs until the context's signal. */
export async function runKubernetesServiceController(
  context: RunContext,
  { address, clusterIp, port }: KubernetesServiceOptions,
): Promise<void> {
  const { client, informers } = context;
  const { name, namespace } = KUBERNETES;
  const [allServices, allEndpoints, allSlices] = [
    informers.of(services),
    informers.of(endpoints),
    informers.of(endpointSlices),
  ];
  const own = ({ metadata }: Stored): ObjectKey[] =>
    metadata.name === name && metadata.namespace === namespace ? [KUBERNETES] : [];
  const news = { changed: own, deleted: own };
  const moved: Watch<ObjectKey> = { start: (queue) => address.onChange(() => queue.add(KUBERNETES)) };
  await runController(context, 'kubernetes_service', {
    workers: 1,
    first: [KUBERNETES],
    watches: [watch(allServices, news), watch(allEndpoints, news), watch(allSlices, news), moved],
    async reconcile(key, queue) {
      const actions = planKubernetes({
        clusterIp,
        port,
        address: address.current(),
        service: allServices.get(namespace, name),
        endpoints: allEndpoints.get(namespace, name),
        slice: allSlices.get(namespace, name),
      });
      try {
        for (const action of actions) await carryOut(client, action);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        // Made by us a moment ago, and the informer has not told of it yet.
        queue.addRateLimited(key);
      }
    },
  });
}

async function carryOut(client: Client, action: KubernetesAction): Promise<void> {
  switch (action.type) {
    case 'create-service':
      await client.create<Service>(services, action.service);
      return;
    case 'update-service':
      await client.update(services, action.service);
      return;
    case 'delete-service':
      await remove(client, services, action.service);
      return;
    case 'create-endpoints':
      await client.create<Endpoints>(endpoints, action.endpoints);
      return;
    case 'update-endpoints':
      await client.update(endpoints, action.endpoints);
      return;
    case 'create-slice':
      await client.create<EndpointSlice>(endpointSlices, action.slice);
      return;
    case 'update-slice':
      await client.update(endpointSlices, action.slice);
      return;
    case 'delete-slice':
      await remove(client, endpointSlices, action.slice);
      return;
    default:
      assertNever(action);
  }
}

async function remove<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  { metadata: { uid } }: Stored<T>,
): Promise<void> {
  await orUndefined(client.delete(resource, KUBERNETES, { preconditions: { uid } }));
}
