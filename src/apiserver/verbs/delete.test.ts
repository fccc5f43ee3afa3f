import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Pod } from '../../api/generated/types.ts';
import { configMap, pod, refusal, scheduled } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

test('a pod without a node goes at once; one with a node waits for it, and can only be hurried', async () => {
  const server = await startTestServer();
  await server.object('create', 'pods', { body: pod('free') });
  const gone = await server.object('delete', 'pods', { name: 'free' });
  // As upstream: some kinds answer with what is gone, most with a Status.
  assert.deepEqual([gone.kind, gone.metadata.name], ['Pod', 'free']);
  await server.object('create', 'configmaps', { body: configMap('m') });
  const told = await server.object('delete', 'configmaps', { name: 'm' });
  assert.equal((told as unknown as { status: string }).status, 'Success');
  await scheduled(server, 'bound');
  const going = await server.object<Pod>('delete', 'pods', { name: 'bound' });
  assert.equal(going.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(going.metadata.deletionTimestamp, '2026-11-22T07:00:30Z');
  const longer = { name: 'bound', deleteOptions: { gracePeriodSeconds: 60 } };
  assert.equal((await server.object('delete', 'pods', longer)).metadata.deletionGracePeriodSeconds, 30);
  const shorter = { name: 'bound', deleteOptions: { gracePeriodSeconds: 5 } };
  assert.equal(
    (await server.object('delete', 'pods', shorter)).metadata.deletionTimestamp,
    '2026-11-22T07:00:05Z',
  );
  const wrong = { gracePeriodSeconds: 0, preconditions: { uid: 'other' } };
  assert.equal(
    (await refusal(server.handle('delete', 'pods', { name: 'bound', deleteOptions: wrong }))).code,
    409,
  );
  const now = { gracePeriodSeconds: 0, preconditions: { uid: going.metadata.uid } };
  await server.object('delete', 'pods', { name: 'bound', deleteOptions: now });
  assert.equal((await refusal(server.handle('get', 'pods', { name: 'bound' }))).code, 404);
});

test('finalizers hold a deletion back until the last is taken off', async () => {
  const server = await startTestServer();
  const body = { metadata: { name: 'a', finalizers: ['example.com/hold'] } };
  await server.object('create', 'configmaps', { body });
  const going = await server.object('delete', 'configmaps', { name: 'a' });
  assert.equal(going.metadata.deletionGracePeriodSeconds, 0);
  const again = await server.object('delete', 'configmaps', { name: 'a' });
  assert.equal(again.metadata.resourceVersion, going.metadata.resourceVersion);
  await server.object('update', 'configmaps', { name: 'a', body: { metadata: { name: 'a' } } });
  assert.equal((await refusal(server.handle('get', 'configmaps', { name: 'a' }))).code, 404);
});

test('propagation policies are finalizers', async () => {
  const server = await startTestServer();
  for (const name of ['a', 'b']) await server.object('create', 'configmaps', { body: configMap(name) });
  const orphan = { name: 'a', deleteOptions: { propagationPolicy: 'Orphan' } };
  assert.deepEqual((await server.object('delete', 'configmaps', orphan)).metadata.finalizers, ['orphan']);
  const foreground = { name: 'b', deleteOptions: { propagationPolicy: 'Foreground' } };
  const going = await server.object('delete', 'configmaps', foreground);
  assert.deepEqual(going.metadata.finalizers, ['foregroundDeletion']);
});

test('a namespace is Terminating until it is finalized, and takes nothing new', async () => {
  const server = await startTestServer();
  await server.object('create', 'namespaces', { body: { metadata: { name: 'x' } } });
  const going = await server.object<Namespace>('delete', 'namespaces', { name: 'x' });
  assert.equal(going.status?.phase, 'Terminating');
  const refused = await refusal(
    server.handle('create', 'configmaps', { namespace: 'x', body: configMap('a') }),
  );
  assert.equal(
    refused.message,
    'configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
  );
  const body = { metadata: { name: 'x' }, spec: { finalizers: [] } };
  await server.object('update', 'namespaces', { name: 'x', subresource: 'finalize', body });
  assert.equal((await refusal(server.handle('get', 'namespaces', { name: 'x' }))).code, 404);
});

test('deletecollection deletes what a selector matches', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: { metadata: { name: 'a', labels: { app: 'x' } } } });
  await server.object('create', 'configmaps', { body: configMap('b') });
  await server.list('deletecollection', 'configmaps', { options: { labelSelector: 'app=x' } });
  const left = await server.list('list', 'configmaps');
  assert.deepEqual(
    left.items.map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('a PUT names the version that it replaces, where upstream insists on that', async () => {
  const server = await startTestServer();
  const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'a' } };
  await server.object('create', 'leases', { body: lease });
  const refused = await refusal(server.handle('update', 'leases', { name: 'l', body: lease }));
  assert.deepEqual(
    [refused.code, refused.message],
    [
      422,
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ],
  );
  server.api.stop();
});
