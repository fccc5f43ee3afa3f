import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runStatefulSetController } from '../statefulset/controller.ts';
import { fixedRoot, runServiceAccountsController } from './controller.ts';

test('a set that is there before its namespace has a service account gets its pods', async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client, clock } = cluster;
    cluster.run(runStatefulSetController(cluster.contextOf('statefulset')));
    await client.create(namespaces, { metadata: { name: 'new' }, spec: {} });
    await client.create(statefulSets, {
      metadata: { namespace: 'new', name: 'web' },
      spec: {
        serviceName: 'web',
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'nginx' }] },
        },
      },
    });
    const made = async (): Promise<number> => (await client.list(pods, { namespace: 'new' })).items.length;
    await clock.advance(3_000);
    assert.equal(await made(), 0);
    cluster.run(
      runServiceAccountsController(cluster.contextOf('service-accounts'), fixedRoot('certificate')),
    );
    await cluster.until(async () => (await made()) === 1, 'the pod is made');
  } finally {
    await cluster.stop();
  }
});
