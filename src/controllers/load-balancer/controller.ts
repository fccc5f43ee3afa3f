// Gives Services of type LoadBalancer an address where others reach them: the machine's own, or one of a range. Who has what
// is written down in one object by compare-and-set before a Service shows it, so that nothing is ever two Services';
// how traffic to the address finds its way is not known here (network/proxy).
import { orUndefined } from '../../api/errors.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import type { ObjectKey, Stored } from '../../api/objects.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { sameJson } from '../../base/same-json.ts';
import { runController, watch } from '../../client/controller.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { type Claims, isBalanced, planBalancers } from './plan.ts';
import type { AddressPool } from './pool.ts';

/** Where it is written down who has what; also the one key: what one loses, another may be waiting for. */
const CLAIMS = { namespace: 'kube-system', name: 'load-balancer-addresses' };
const ALL: readonly ObjectKey[] = [CLAIMS];

/** Runs until the context's signal. @param pool where the addresses come from; of `none`, what was given is taken back. */
export async function runLoadBalancerController(context: RunContext, pool: AddressPool): Promise<void> {
  const { client, informers } = context;
  const [allServices, allNodes, maps] = [
    informers.of(services),
    informers.of(nodes),
    informers.of(configMaps),
  ];
  const recorder = createRecorder(context, 'service-controller');
  /** Why a Service has none, as it was last told, by its uid: said again when it has become another. */
  const told = new Map<string, string>();
  const claimsGone = ({ metadata: { name, namespace } }: Stored): readonly ObjectKey[] =>
    name === CLAIMS.name && namespace === CLAIMS.namespace ? ALL : [];

  const writeDown = async (found: Stored<ConfigMap> | undefined, data: Claims): Promise<void> => {
    if (sameJson(found?.data ?? {}, data)) return;
    if (found) await client.update(configMaps, { ...found, data: { ...data } });
    else await client.create<ConfigMap>(configMaps, { metadata: CLAIMS, data: { ...data } });
  };

  await runController(context, 'service', {
    workers: 1,
    first: ALL,
    watches: [
      watch(allServices, {
        added: (service) => (isBalanced(service) ? ALL : []),
        updated: (service, old) => (isBalanced(service) || isBalanced(old) ? ALL : []),
        deleted: (service) => (isBalanced(service) ? ALL : []),
      }),
      watch(allNodes, { changed: () => ALL, deleted: () => ALL }),
      watch(maps, { deleted: claimsGone }),
    ],
    async reconcile() {
      // As it is now, and not as it was a moment ago: the write below is refused if it has changed since.
      const found = await orUndefined(client.get(configMaps, CLAIMS));
      const plan = planBalancers({
        services: allServices.list(),
        nodes: allNodes.list(),
        pool,
        claims: found?.data ?? {},
      });
      for (const service of plan.released) {
        await orUndefined(client.update(services, service, { subresource: 'status' }));
        recorder.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
      }
      await writeDown(found, plan.claims);
      for (const service of plan.granted) {
        await orUndefined(client.update(services, service, { subresource: 'status' }));
        recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      }
      const waiting = new Set(plan.pending.map(({ service }) => service.metadata.uid));
      for (const uid of told.keys()) if (!waiting.has(uid)) told.delete(uid);
      for (const { service, why } of plan.pending) {
        if (told.get(service.metadata.uid) === why) continue;
        told.set(service.metadata.uid, why);
        recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${why}`);
      }
    },
  });
}
