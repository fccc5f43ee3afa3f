// Who owns which field after plain writes, seen through the pipeline.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Pod } from '../../api/generated/types.ts';
import { startTestServer } from '../test-server.ts';

const map = (data: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a' },
  data,
});
const named = { name: 'a' };

test('whoever creates owns what it said; an apply by another with another value conflicts', async () => {
  const server = await startTestServer();
  const created = await server.object<ConfigMap>('create', 'configmaps', {
    body: map({ one: '1', two: '2' }),
    options: { fieldManager: 'kubectl-create' },
  });
  assert.deepEqual(created.metadata.managedFields, [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'v1',
      time: created.metadata.creationTimestamp,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:one': {}, 'f:two': {} } },
    },
  ]);
  const apply = { ...named, body: map({ one: 'x' }), patchType: 'apply' as const };
  await assert.rejects(server.handle('patch', 'configmaps', { ...apply, options: { fieldManager: 'me' } }), {
    message: 'Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.one',
  });
  const applied = await server.object<ConfigMap>('patch', 'configmaps', {
    ...apply,
    options: { fieldManager: 'me', force: true },
  });
  assert.deepEqual(applied.data, { one: 'x', two: '2' });
  assert.deepEqual(
    applied.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [
      ['me', { 'f:data': { 'f:one': {} } }],
      ['kubectl-create', { 'f:data': { '.': {}, 'f:two': {} } }],
    ],
  );
  server.api.stop();
});

test('an update takes what it changes; one that changes nothing changes no owner; [{}] forgets all', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: map({ one: '1' }), options: { fieldManager: 'a' } });
  const same = await server.object('update', 'configmaps', {
    ...named,
    body: map({ one: '1' }),
    options: { fieldManager: 'b' },
  });
  assert.deepEqual(
    same.metadata.managedFields?.map(({ manager }) => manager),
    ['a'],
  );
  const changed = await server.object('update', 'configmaps', {
    ...named,
    body: map({ one: '2' }),
    options: { fieldManager: 'b' },
  });
  assert.deepEqual(
    changed.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [
      ['a', { 'f:data': {} }],
      ['b', { 'f:data': { 'f:one': {} } }],
    ],
  );
  // What cannot be read is as if it was not there: upstream's decodeLiveOrNew.
  const unread = { ...map({ one: '2' }), metadata: { ...named, managedFields: [{ manager: 'a' }] } };
  const kept = await server.object('update', 'configmaps', { ...named, body: unread });
  assert.deepEqual(kept.metadata.managedFields, changed.metadata.managedFields);
  for (const none of [[{}], []]) {
    const forgotten = await server.object('patch', 'configmaps', {
      ...named,
      body: { metadata: { managedFields: none } },
      patchType: 'merge',
    });
    assert.equal(forgotten.metadata.managedFields, undefined);
  }
  const body = { ...map({ one: '3' }), metadata: { ...named, managedFields: [{}] } };
  const anew = await server.object('update', 'configmaps', {
    ...named,
    body,
    options: { fieldManager: 'c' },
  });
  assert.deepEqual(
    anew.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [['c', { 'f:data': { 'f:one': {} } }]],
  );
  server.api.stop();
});

const pod = { metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const binding = { metadata: named, target: { kind: 'Node', name: 'n' } };
const owners = ({ metadata }: Pod): unknown[] =>
  (metadata.managedFields ?? []).map(({ manager, subresource }) => [manager, subresource]);

test('status has owners of its own; what admission adds and a binding writes is nobody’s', async () => {
  const server = await startTestServer();
  const created = await server.object<Pod>('create', 'pods', { body: pod, options: { fieldManager: 'me' } });
  assert.doesNotMatch(JSON.stringify(created.metadata.managedFields), /kube-api-access|f:status/);
  await server.handle('create', 'pods', { ...named, subresource: 'binding', body: binding });
  const ready = await server.object<Pod>('patch', 'pods', {
    ...named,
    subresource: 'status',
    body: { status: { phase: 'Running' } },
    patchType: 'merge',
  });
  // Requests from within the process are known by their user.
  assert.deepEqual(owners(ready), [
    ['me', undefined],
    ['test', 'status'],
  ]);
  assert.deepEqual(ready.metadata.managedFields?.[1]?.fieldsV1, { 'f:status': { 'f:phase': {} } });
  server.api.stop();
});

test('what the system alone has made is recorded when somebody else first writes it', async () => {
  const server = await startTestServer();
  const made = await server.object<Pod>('create', 'pods', { body: pod });
  assert.equal(made.metadata.managedFields, undefined);
  const labelled = await server.object<Pod>('patch', 'pods', {
    ...named,
    body: { metadata: { labels: { a: 'b' } } },
    patchType: 'merge',
    options: { fieldManager: 'kubectl-label' },
  });
  assert.deepEqual(owners(labelled), [
    ['before-first-apply', undefined],
    ['kubectl-label', undefined],
  ]);
  const apply = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: named,
    spec: { containers: [{ name: 'c', image: 'j' }] },
  };
  await assert.rejects(
    server.handle('patch', 'pods', {
      ...named,
      body: apply,
      patchType: 'apply',
      options: { fieldManager: 'x' },
    }),
    { code: 409 },
  );
  server.api.stop();
});
