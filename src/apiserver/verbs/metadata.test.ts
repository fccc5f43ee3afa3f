// What the server makes of metadata: where an object lies, and how often it has been changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import type { ApiRequest } from '../request.ts';
import { configMap, pod, refusal, scheduled } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

test('of what lies in no namespace, the namespace is dropped', async () => {
  const server = await startTestServer();
  const body = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'c', namespace: 'default' },
    provisioner: 'example.com/x',
  };
  const write = (verb: ApiRequest['verb'], parts: Partial<ApiRequest> = {}) =>
    server.object(verb, 'storageclasses', { body: structuredClone(body), ...parts });
  const apply: Partial<ApiRequest> = { patchType: 'apply', options: { fieldManager: 'me' } };
  for (const written of [
    await write('create'),
    await write('update', { name: 'c' }),
    await write('patch', { name: 'c', patchType: 'merge' }),
    await write('patch', { name: 'c', ...apply, options: { fieldManager: 'me', force: true } }),
    await write('patch', { name: 'd', ...apply, body: { ...body, metadata: { name: 'd', namespace: 'x' } } }),
  ]) {
    assert.equal(written.metadata.namespace, undefined);
  }
});

test('what lies in a namespace lies in that of the request', async () => {
  const server = await startTestServer();
  const body = { ...configMap('a'), metadata: { name: 'a', namespace: 'other' } };
  const why = async (verb: ApiRequest['verb'], parts: Partial<ApiRequest>) => {
    const { code, message } = await refusal(server.handle(verb, 'configmaps', { body, ...parts }));
    assert.equal(code, 400);
    return message;
  };
  assert.equal(
    await why('create', {}),
    'the namespace of the provided object does not match the namespace sent on the request',
  );
  await server.object('create', 'configmaps', { body: configMap('a') });
  const differs = 'the namespace of the object (other) does not match the namespace on the request (default)';
  assert.equal(await why('update', { name: 'a' }), differs);
  assert.equal(await why('patch', { name: 'a', patchType: 'merge' }), differs);
  const apply: Partial<ApiRequest> = { patchType: 'apply', options: { fieldManager: 'me' } };
  assert.equal(
    await why('patch', { name: 'b', ...apply, body: { ...body, metadata: { ...body.metadata, name: 'b' } } }),
    differs,
  );
});

test("a pod's generation counts what was asked of it: neither its node nor its status, but its end", async () => {
  const server = await startTestServer();
  await scheduled(server, 'a');
  const generation = async () => (await server.object<Pod>('get', 'pods', { name: 'a' })).metadata.generation;
  assert.equal(await generation(), 1);
  const change = (body: object, subresource?: string) =>
    server.object('patch', 'pods', {
      name: 'a',
      patchType: 'merge',
      body,
      ...(subresource ? { subresource } : {}),
    });
  await change({ status: { phase: 'Running' } }, 'status');
  await change({ metadata: { labels: { a: 'b' } } });
  assert.equal(await generation(), 1);
  await change({ spec: { ephemeralContainers: [{ name: 'd', image: 'i' }] } }, 'ephemeralcontainers');
  assert.equal(await generation(), 2);
  await change({ spec: { activeDeadlineSeconds: 5 } });
  assert.equal(await generation(), 3);
  await server.object('delete', 'pods', { name: 'a' });
  assert.equal(await generation(), 4);
});

test('kinds whose generation nobody observes have none, as upstream', async () => {
  const server = await startTestServer();
  const namespace = await server.object('create', 'namespaces', { body: { metadata: { name: 'n' } } });
  assert.equal(namespace.metadata.generation, undefined);
  const body = { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } };
  assert.equal((await server.object('create', 'services', { body })).metadata.generation, undefined);
  assert.equal((await server.object('create', 'pods', { body: pod('p') })).metadata.generation, 1);
});
