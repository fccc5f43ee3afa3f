import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { stopPods } from './stop-pods.ts';

const pod = (name: string, finalizers?: string[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'default',
    name,
    ...(finalizers ? { finalizers } : {}),
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set', controller: true },
    ],
  },
  spec: { nodeName: 'n', containers: [{ name: 'main', image: 'a' }] },
});

test('pods are stopped from the highest ordinal down, and one that only a finalizer holds is not waited for', async () => {
  const cluster = await startTestControlPlane();
  const { client, informers, clock } = cluster.context;
  await client.create(pods, pod('web-0'));
  await client.create(pods, pod('web-1', ['example.com/held']));
  const said: string[] = [];
  // The node: when a pod is to go, its containers are stopped, and then nothing keeps its object but finalizers.
  informers.of(pods).subscribe({
    updated: ({ metadata: { namespace, name, deletionTimestamp, deletionGracePeriodSeconds } }) => {
      if (!deletionTimestamp || deletionGracePeriodSeconds === 0) return;
      void client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
    },
  });
  let over = false;
  const startedMs = clock.now();
  const stopping = stopPods(client, informers, clock, (line) => said.push(line)).then(() => {
    over = true;
  });
  await cluster.until(() => over, 'all are stopped');
  await stopping;
  assert.ok(clock.now() - startedMs < 1000, 'nobody waited for the finalizer');
  assert.match(said[0] ?? '', /^default\/web-1 is stopped .* finalizer/);
  assert.match(said[1] ?? '', /^stopped default\/web-0 \(0 ms\)/);
  await cluster.stop();
});

test('a pod that cannot be deleted keeps no other from being stopped', async () => {
  const cluster = await startTestControlPlane();
  const { client, informers, clock } = cluster.context;
  await client.create(pods, pod('web-0'));
  await client.create(pods, pod('web-1'));
  const remove = client.delete.bind(client);
  client.delete = async (resource, key, options) => {
    if (key.name === 'web-1') throw new Error('a webhook says no');
    return remove(resource, key, { ...options, gracePeriodSeconds: 0 });
  };
  const said: string[] = [];
  const stopping = stopPods(client, informers, clock, (line) => said.push(line));
  await cluster.clock.settle();
  await stopping;
  assert.deepEqual(said, [
    'default/web-1 cannot be deleted (a webhook says no); going on without it',
    'stopped default/web-0 (0 ms)',
  ]);
  await cluster.stop();
});
