// A node that is gone for good, end to end: its pods of a set stay Terminating, so that no second pod of a name ever
// lives; with the taint node.kubernetes.io/out-of-service they are let go, and made again with their claims.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isNotFound } from '../api/errors.ts';
import type { StatefulSet } from '../api/generated/types.ts';
import { isTerminating } from '../api/objects.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { startTestControlPlane } from '../testing/test-control-plane.ts';
import { runNodesController } from './nodes/controller.ts';
import { runPodGcController } from './pod-gc/controller.ts';
import { runStatefulSetController } from './statefulset/controller.ts';

const SET: StatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'nginx' } },
    template: {
      metadata: { labels: { app: 'nginx' } },
      spec: { containers: [{ name: 'nginx', image: 'nginx' }] },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'www' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
};
const key = (name: string) => ({ namespace: 'default', name });

test('a fenced node lets its pods go, and only then are they made again', async (context) => {
  const cluster = await startTestControlPlane();
  context.after(() => cluster.stop());
  const { client } = cluster;
  await cluster.addNode('lost');
  cluster.run(runStatefulSetController(cluster.contextOf('statefulset')));
  cluster.run(runNodesController(cluster.contextOf('nodes')));
  cluster.run(runPodGcController(cluster.contextOf('pod-gc')));
  await client.create(statefulSets, SET);
  for (const name of ['web-0', 'web-1']) {
    const isThere = async (): Promise<boolean> =>
      client.get(pods, key(name)).then(
        () => true,
        (error: unknown) => {
          if (isNotFound(error)) return false;
          throw error;
        },
      );
    await cluster.until(isThere, `${name} is made`);
    const binding = { metadata: { name }, target: { kind: 'Node', name: 'lost' } };
    await client.createSubresource(pods, key(name), 'binding', binding);
    await cluster.runPod(name, '10.0.0.1');
  }
  const before = await client.get(pods, key('web-0'));
  const claim = await client.get(persistentVolumeClaims, key('www-web-0'));

  // The node renews nothing: after its grace, and the five minutes that pods tolerate, they are deleted, and stay.
  await cluster.until(async () => isTerminating(await client.get(pods, key('web-0'))), 'the eviction');
  await cluster.clock.advance(24 * 3600_000);
  const waiting = await client.get(pods, key('web-0'));
  assert.equal(waiting.metadata.uid, before.metadata.uid);
  const progressing = (await client.get(statefulSets, key('web'))).status?.conditions?.find(
    ({ type }) => type === 'Progressing',
  );
  assert.equal(progressing?.status, 'False');
  assert.equal(progressing?.reason, 'NodeLost');
  assert.match(progressing?.message ?? '', /its node lost does not answer; .*out-of-service/);

  const node = await client.get(nodes, { name: 'lost' });
  const fence = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
  const taints = [...(node.spec.taints ?? []), fence];
  await client.update(nodes, structuredClone({ ...node, spec: { ...node.spec, taints } }));
  const isAnother = async (name: string): Promise<boolean> => {
    const { items } = await client.list(pods, { namespace: 'default' });
    const pod = items.find(({ metadata }) => metadata.name === name);
    return pod !== undefined && pod.metadata.uid !== before.metadata.uid && !isTerminating(pod);
  };
  await cluster.until(() => isAnother('web-0'), 'web-0 is made again');
  assert.equal((await client.get(pods, key('web-0'))).spec.nodeName, undefined);
  assert.equal((await client.get(persistentVolumeClaims, key('www-web-0'))).metadata.uid, claim.metadata.uid);
});
