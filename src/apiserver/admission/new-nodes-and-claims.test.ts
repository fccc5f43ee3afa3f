// Smaller plug-ins: new nodes, zones of pods, claims that grow, default priorities.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

test('a new node takes no pods before it has said that it is ready', async () => {
  const server = await startTestServer();
  const { spec } = await server.object<Node>('create', 'nodes', { body: { metadata: { name: 'a' } } });
  assert.deepEqual(spec.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
});

test('a pod that gets a node gets its zone, whatever it said itself', async () => {
  const server = await startTestServer();
  const zone = 'topology.kubernetes.io/zone';
  await server.object('create', 'nodes', { body: { metadata: { name: 'n', labels: { [zone]: 'east' } } } });
  const labelled = { ...pod('a'), metadata: { name: 'a', labels: { [zone]: 'west', app: 'x' } } };
  await server.object('create', 'pods', { body: labelled });
  const body = { metadata: { name: 'a' }, target: { kind: 'Node', name: 'n' } };
  await server.object('create', 'pods', { name: 'a', subresource: 'binding', body });
  const { metadata } = await server.object<Pod>('get', 'pods', { name: 'a' });
  assert.deepEqual(metadata.labels, { [zone]: 'east', app: 'x' });
  const made = await server.object<Pod>('create', 'pods', { body: pod('b', { nodeName: 'n' }) });
  assert.deepEqual(made.metadata.labels, { [zone]: 'east' });
});

async function claimOf(server: TestServer, allowVolumeExpansion: boolean | undefined): Promise<void> {
  await server.object('create', 'storageclasses', {
    body: {
      metadata: { name: 'c' },
      provisioner: 'example.com/x',
      ...(allowVolumeExpansion === undefined ? {} : { allowVolumeExpansion }),
    },
  });
  const spec = {
    storageClassName: 'c',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  };
  const made = await server.object<PersistentVolumeClaim>('create', 'persistentvolumeclaims', {
    body: { metadata: { name: 'd' }, spec },
  });
  const body = { ...made, status: { phase: 'Bound', capacity: { storage: '1Gi' } } };
  await server.object('update', 'persistentvolumeclaims', { name: 'd', subresource: 'status', body });
}

const grow = (server: TestServer): Promise<unknown> =>
  server.handle('patch', 'persistentvolumeclaims', {
    name: 'd',
    patchType: 'merge',
    body: { spec: { resources: { requests: { storage: '2Gi' } } } },
  });

for (const allowed of [undefined, false, true]) {
  test(`a claim grows only if its class says so: ${allowed}`, async () => {
    const server = await startTestServer();
    await claimOf(server, allowed);
    if (allowed) return void (await grow(server));
    const { code, message } = await refusal(grow(server));
    assert.equal(code, 403);
    assert.equal(
      message,
      'persistentvolumeclaims "d" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  });
}

test('a pod may say the priority of its class, and no other; only one class is the default', async () => {
  const server = await startTestServer();
  const create = (name: string, parts: object): Promise<unknown> =>
    server.handle('create', 'priorityclasses', { body: { metadata: { name }, ...parts } });
  await create('low', { value: 5, globalDefault: true, preemptionPolicy: 'Never' });
  const { spec } = await server.object<Pod>('create', 'pods', { body: pod('a') });
  assert.deepEqual([spec.priorityClassName, spec.priority, spec.preemptionPolicy], ['low', 5, 'Never']);
  assert.match(
    (
      await refusal(
        server.handle('create', 'pods', { body: pod('b', { preemptionPolicy: 'PreemptLowerPriority' }) }),
      )
    ).message ?? '',
    /the string value of PreemptionPolicy \(PreemptLowerPriority\) must not be provided in pod spec; priority admission controller computed Never/,
  );
  assert.equal(
    (await refusal(create('high', { value: 6, globalDefault: true }))).message,
    'priorityclasses.scheduling.k8s.io "high" is forbidden: PriorityClass low is already marked as default. Only one default can exist',
  );
});
