import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isReady } from '../../api/conditions.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runNodesController } from './controller.ts';

it('marks the pods of a silent node not ready once, and does not contradict an agent that is back', async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client, clock } = cluster;
    await client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
    await cluster.addNode('one');
    await client.create(pods, {
      metadata: { namespace: 'default', name: 'web-0' },
      spec: { nodeName: 'one', containers: [{ name: 'app', image: 'app' }] },
    });
    await cluster.runPod('web-0', '10.0.0.4');
    cluster.run(runNodesController(cluster.contextOf('nodes')));
    const get = () => client.get(pods, { namespace: 'default', name: 'web-0' });
    await cluster.until(async () => !isReady(await get()), 'the pod is marked');
    // The agent's first word after the silence is about its pod; its node still counts as silent.
    const { metadata } = await cluster.runPod('web-0', '10.0.0.4');
    await clock.advance(20_000);
    const pod = await get();
    assert.ok(isReady(pod));
    assert.equal(pod.metadata.resourceVersion, metadata.resourceVersion);
  } finally {
    await cluster.stop();
  }
});

it('evicts every pod of a lost node that it can, whatever becomes of another', async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client } = cluster;
    await client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
    await cluster.addNode('one');
    for (const name of ['stuck', 'free']) {
      await client.create(pods, {
        metadata: { namespace: 'default', name },
        spec: { nodeName: 'one', containers: [{ name: 'app', image: 'app' }] },
      });
      await cluster.runPod(name, '10.0.0.4');
    }
    const context = cluster.contextOf('nodes');
    const remove = context.client.delete.bind(context.client);
    context.client.delete = async (resource, key, options) => {
      if (key.name === 'stuck') throw new Error('stuck is stuck');
      return remove(resource, key, options);
    };
    cluster.run(runNodesController(context));
    const leaving = async (name: string) =>
      (await client.get(pods, { namespace: 'default', name })).metadata.deletionTimestamp !== undefined;
    await cluster.until(() => leaving('free'), 'the other leaves');
    assert.equal(await leaving('stuck'), false);
  } finally {
    await cluster.stop();
  }
});
