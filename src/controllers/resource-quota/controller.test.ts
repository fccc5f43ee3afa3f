import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allResources } from '../../api/resources/all.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { resourceQuotas } from '../../api/resources/resource-quotas/definition.ts';
import { fixedKinds } from '../../testing/fixed-kinds.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runResourceQuotaController } from './controller.ts';

test("a quota's status follows the objects of its namespace", async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client } = cluster;
    cluster.run(runResourceQuotaController(cluster.contextOf('resource-quota'), fixedKinds(allResources)));
    const hard = {
      pods: '10',
      'requests.memory': '4Gi',
      'requests.cpu': '2',
      'count/configmaps': '5',
      'count/widgets.example.com': '1',
    };
    await client.create(resourceQuotas, { metadata: { namespace: 'default', name: 'q' }, spec: { hard } });
    const used = async () =>
      (await client.get(resourceQuotas, { namespace: 'default', name: 'q' })).status?.used;
    await cluster.until(async () => (await used())?.pods === '0', 'nothing is used');
    const resources = { requests: { memory: '512Mi', cpu: '250m' } };
    for (const name of ['a', 'b']) {
      await client.create(pods, {
        metadata: { namespace: 'default', name },
        spec: { containers: [{ name: 'c', image: 'nginx', resources }] },
      });
    }
    await client.create(configMaps, { metadata: { namespace: 'default', name: 'm' } });
    await cluster.until(async () => (await used())?.pods === '2', 'two pods are counted');
    assert.deepEqual(await used(), {
      pods: '2',
      'requests.memory': '1Gi',
      'requests.cpu': '500m',
      'count/configmaps': '1',
    });
    await cluster.runPod('a', '10.0.0.1');
    const key = { namespace: 'default', name: 'b' };
    const body = { status: { phase: 'Succeeded' } };
    await client.patch(pods, key, { type: 'merge', body }, { subresource: 'status' });
    await cluster.until(async () => (await used())?.pods === '1', 'a pod that has ended is not counted');
    assert.deepEqual(cluster.complaints, []);
  } finally {
    await cluster.stop();
  }
});
