import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, Service } from '../../api/generated/types.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

test('services get an address and node ports of their own; headless ones none', async () => {
  const server = await startTestServer();
  const service = (name: string, spec: object): object => ({
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  const made = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      server.object<Service>('create', 'services', { body: service(name, { type: 'NodePort' }) }),
    ),
  );
  assert.equal(new Set(made.map(({ spec }) => spec.clusterIP)).size, 3);
  assert.equal(new Set(made.map(({ spec }) => spec.ports?.[0]?.nodePort)).size, 3);
  const [first] = made;
  assert.match(first?.spec.clusterIP ?? '', /^10\.96\./);
  assert.deepEqual(first?.spec.ipFamilies, ['IPv4']);
  const headless = await server.object<Service>('create', 'services', {
    body: service('d', { clusterIP: 'None' }),
  });
  assert.deepEqual(headless.spec.clusterIPs, ['None']);
  const taken = service('e', { clusterIP: first?.spec.clusterIP });
  const refused = await refusal(server.handle('create', 'services', { body: taken }));
  assert.equal(refused.code, 422);
  assert.match(refused.message ?? '', /provided IP is already allocated/);
  const kept = await server.object<Service>('update', 'services', {
    name: 'a',
    body: service('a', { type: 'NodePort' }),
  });
  assert.equal(kept.spec.clusterIP, first?.spec.clusterIP);
  assert.equal(kept.spec.ports?.[0]?.nodePort, first?.spec.ports?.[0]?.nodePort);
});

test('admission fills in what a pod and a claim leave open', async () => {
  const server = await startTestServer();
  const made = await server.object<Pod>('create', 'pods', { body: pod('a') });
  assert.equal(made.spec.serviceAccountName, 'default');
  assert.equal(made.spec.priority, 0);
  assert.equal(made.spec.tolerations?.length, 2);
  await server.object('create', 'storageclasses', {
    body: {
      metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/local',
    },
  });
  const claim = await server.object<{ spec: { storageClassName?: string }; metadata: object }>(
    'create',
    'persistentvolumeclaims',
    {
      body: {
        metadata: { name: 'c' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
  );
  assert.equal(claim.spec.storageClassName, 'local');
  assert.deepEqual(claim.metadata.finalizers, ['kubernetes.io/pvc-protection']);
  const classed = pod('b', { priorityClassName: 'nope' });
  const refused = await refusal(server.handle('create', 'pods', { body: classed }));
  assert.equal(refused.message, 'pods "b" is forbidden: no PriorityClass with name nope was found');
});
