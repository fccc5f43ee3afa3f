// A kind that comes while the controllers run is collected and emptied like any other, and its informer ends with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { configMaps } from '../api/resources/config-maps/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { resourceQuotas } from '../api/resources/resource-quotas/definition.ts';
import { ALL_VERBS } from '../api/resources/shared/verbs.ts';
import { embedded } from '../api/schema/facts.ts';
import type { TypeTable } from '../api/schema/schema.ts';
import { startTestControlPlane } from '../testing/test-control-plane.ts';
import { runGarbageController } from './garbage/controller.ts';
import { runNamespaceController } from './namespace/controller.ts';
import { runResourceQuotaController } from './resource-quota/controller.ts';

const types: TypeTable = {
  Buoy: {
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', ref: 'ObjectMeta', ...embedded },
    },
  },
};
const buoys: ResourceDefinition = {
  group: 'example.com',
  version: 'v1',
  kind: 'Buoy',
  plural: 'buoys',
  singular: 'buoy',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Buoy',
  types: [() => types],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [],
  strategy: {},
};

test('controllers of all kinds follow what is served', async () => {
  const cluster = await startTestControlPlane();
  const { api, client, context } = cluster;
  cluster.run(runGarbageController(context, api));
  cluster.run(runNamespaceController(context, api));
  cluster.run(runResourceQuotaController(context, api));
  await client.create(namespaces, { metadata: { name: 'sea' }, spec: {} });
  await client.create(resourceQuotas, {
    metadata: { namespace: 'sea', name: 'q' },
    spec: { hard: { 'count/buoys.example.com': '5' } },
  });
  const used = async (): Promise<unknown> =>
    (await client.get(resourceQuotas, { namespace: 'sea', name: 'q' })).status?.used;
  await cluster.until(
    async () => context.informers.of(namespaces).get(undefined, 'sea') !== undefined,
    'seen',
  );

  api.addResource(buoys);
  const owner = await client.create(configMaps, { metadata: { namespace: 'sea', name: 'owner' } });
  const { name, uid } = owner.metadata;
  const buoy = (own: string, metadata: object = {}): KubeObject => ({
    metadata: { namespace: 'sea', name: own, ...metadata },
  });
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }];
  await client.create(buoys, buoy('owned', { ownerReferences }));
  await client.create(buoys, buoy('free'));
  await cluster.until(
    async () => JSON.stringify(await used()) === '{"count/buoys.example.com":"2"}',
    'the quota counts what has come',
  );
  await client.delete(configMaps, { namespace: 'sea', name });
  const left = async (): Promise<string> =>
    (await client.list(buoys)).items.map(({ metadata }) => metadata.name).join(' ');
  await cluster.until(async () => (await left()) === 'free', 'the owned one is collected');
  await client.delete(namespaces, { name: 'sea' });
  await cluster.until(async () => (await left()) === '', 'the namespace is emptied');

  const informer = context.informers.of(buoys);
  api.removeResource(buoys);
  await cluster.clock.settle();
  api.addResource(buoys);
  const next = context.informers.of(buoys);
  assert.notEqual(next, informer, 'the old one has ended');
  await client.create(buoys, { metadata: { namespace: 'default', name: 'again' } });
  await cluster.until(() => next.list().length === 1, 'the new one fills');
  assert.equal(informer.list().length, 0);
  assert.deepEqual(cluster.complaints, []);
  await cluster.stop();
});
