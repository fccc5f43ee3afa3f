import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, StatefulSet } from '../api/generated/types.ts';
import { encodeObject } from './codec.ts';
import { configMap, pod, refusal, scheduled } from './test-objects.ts';
import { startTestServer } from './test-server.ts';

const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec: {
    serviceName: 'nginx',
    replicas: 2,
    selector: { matchLabels: { app: 'nginx' } },
    template: {
      metadata: { labels: { app: 'nginx' } },
      spec: { containers: [{ name: 'nginx', image: 'nginx' }] },
    },
  },
};

test('create fills in metadata and defaults, get returns the same frozen object', async () => {
  const server = await startTestServer();
  const created = await server.object<StatefulSet>('create', 'statefulsets', { body: structuredClone(set) });
  assert.equal(created.metadata.namespace, 'default');
  assert.equal(created.metadata.generation, 1);
  assert.equal(created.metadata.creationTimestamp, '2026-11-22T07:00:00Z');
  assert.match(created.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.equal(created.spec.podManagementPolicy, 'OrderedReady');
  assert.ok(Object.isFrozen(created.spec.template));
  assert.equal(await server.object('get', 'statefulsets', { name: 'web' }), created);
});

test('served bytes are the object with its version', async () => {
  const server = await startTestServer();
  const created = await server.object('create', 'configmaps', { body: configMap('a', { x: '1' }) });
  assert.deepEqual(JSON.parse(encodeObject(created).toString()), created);
  assert.equal(encodeObject(created), encodeObject(created));
});

test('refusals carry upstream wording', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: configMap('a') });
  const cases: [Promise<unknown>, number, string][] = [
    [server.handle('create', 'configmaps', { body: configMap('a') }), 409, 'configmaps "a" already exists'],
    [server.handle('get', 'configmaps', { name: 'b' }), 404, 'configmaps "b" not found'],
    [server.handle('get', 'statefulsets', { name: 'b' }), 404, 'statefulsets.apps "b" not found'],
    [
      server.handle('create', 'configmaps', { namespace: 'x', body: configMap('a') }),
      404,
      'namespaces "x" not found',
    ],
    [
      server.handle('create', 'configmaps', { body: { metadata: { name: 'a', namespace: 'x' } } }),
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      server.handle('delete', 'namespaces', { name: 'default' }),
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ],
    [
      server.handle('create', 'configmaps', { body: { metadata: {} } }),
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
  ];
  for (const [promise, code, message] of cases) {
    const status = await refusal(promise);
    assert.deepEqual([status.code, status.message], [code, message]);
  }
});

test('generateName makes a name', async () => {
  const server = await startTestServer();
  const made = await server.object('create', 'configmaps', { body: { metadata: { generateName: 'a-' } } });
  assert.match(made.metadata.name, /^a-[a-z0-9]{5}$/);
});

test('an update with an old version conflicts, an unchanged one writes nothing, a spec change counts', async () => {
  const server = await startTestServer();
  const first = await server.object<StatefulSet>('create', 'statefulsets', { body: structuredClone(set) });
  const same = await server.object('update', 'statefulsets', { name: 'web', body: structuredClone(first) });
  assert.equal(same.metadata.resourceVersion, first.metadata.resourceVersion);
  const more = { ...structuredClone(first), spec: { ...first.spec, replicas: 3 } };
  const second = await server.object<StatefulSet>('update', 'statefulsets', { name: 'web', body: more });
  assert.equal(second.metadata.generation, 2);
  const status = await refusal(server.handle('update', 'statefulsets', { name: 'web', body: first }));
  assert.equal(status.code, 409);
  assert.match(
    status.message ?? '',
    /^Operation cannot be fulfilled on statefulsets.apps "web": the object has been modified/,
  );
});

test('a status write changes only the status and does not count as a generation', async () => {
  const server = await startTestServer();
  const first = await server.object<StatefulSet>('create', 'statefulsets', { body: structuredClone(set) });
  const body = { ...first, spec: { ...first.spec, replicas: 9 }, status: { ...first.status, replicas: 2 } };
  const written = await server.object<StatefulSet>('update', 'statefulsets', {
    name: 'web',
    subresource: 'status',
    body: structuredClone(body),
  });
  assert.equal(written.spec.replicas, 2);
  assert.equal(written.status?.replicas, 2);
  assert.equal(written.metadata.generation, 1);
});

test('dryRun writes nothing', async () => {
  const server = await startTestServer();
  const before = await server.store.revision();
  await server.object('create', 'configmaps', { body: configMap('a'), options: { dryRun: true } });
  assert.equal(await server.store.revision(), before);
  assert.equal((await refusal(server.handle('get', 'configmaps', { name: 'a' }))).code, 404);
});

test('a list is paged at one revision, whatever is written between', async () => {
  const server = await startTestServer();
  for (const name of ['a', 'b', 'c', 'd'])
    await server.object('create', 'configmaps', { body: configMap(name) });
  const first = await server.list('list', 'configmaps', { options: { limit: 2 } });
  assert.deepEqual(
    first.items.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  assert.equal(first.metadata.remainingItemCount, 2);
  await server.object('delete', 'configmaps', { name: 'c' });
  const options = { limit: 2, continue: first.metadata.continue ?? '' };
  const second = await server.list('list', 'configmaps', { options });
  assert.deepEqual(
    second.items.map(({ metadata }) => metadata.name),
    ['c', 'd'],
  );
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(second.metadata.continue, undefined);
  await server.store.compact(await server.store.revision());
  assert.equal((await refusal(server.handle('list', 'configmaps', { options }))).code, 410);
});

test('lists over namespaces follow the order of keys, page by page', async () => {
  const server = await startTestServer();
  for (const namespace of ['a', 'a-b', 'b']) {
    await server.object('create', 'namespaces', { body: { metadata: { name: namespace } } });
    await server.object('create', 'configmaps', { namespace, body: configMap('x') });
  }
  const seen: (string | undefined)[] = [];
  let token = '';
  do {
    const options = { limit: 1, ...(token ? { continue: token } : {}) };
    const { items, metadata } = await server.list('list', 'configmaps', { namespace: undefined, options });
    seen.push(...items.map((item) => item.metadata.namespace));
    token = metadata.continue ?? '';
  } while (token);
  assert.deepEqual(seen, ['a-b', 'a', 'b']);
});

test('selectors choose; an unknown field is refused', async () => {
  const server = await startTestServer();
  const labelled = { metadata: { name: 'a', labels: { app: 'x' } } };
  await server.object('create', 'configmaps', { body: labelled });
  await server.object('create', 'configmaps', { body: configMap('b') });
  const byLabel = await server.list('list', 'configmaps', { options: { labelSelector: 'app=x' } });
  assert.deepEqual(
    byLabel.items.map(({ metadata }) => metadata.name),
    ['a'],
  );
  const byName = await server.list('list', 'configmaps', { options: { fieldSelector: 'metadata.name!=a' } });
  assert.deepEqual(
    byName.items.map(({ metadata }) => metadata.name),
    ['b'],
  );
  const refused = await refusal(
    server.handle('list', 'configmaps', { options: { fieldSelector: 'data.x=1' } }),
  );
  assert.equal(refused.code, 400);
  assert.match(
    refused.message ?? '',
    /^"data\.x" is not a known field selector: only "metadata\.name", "metadata\.namespace"$/,
  );
});

test('a binding gives a pod its node once', async () => {
  const server = await startTestServer();
  await scheduled(server, 'a');
  const bound = await server.object<Pod>('get', 'pods', { name: 'a' });
  assert.equal(bound.spec.nodeName, 'node-1');
  assert.equal(bound.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.status, 'True');
  const body = { metadata: { name: 'a' }, target: { name: 'node-2' } };
  const refused = await refusal(server.handle('create', 'pods', { name: 'a', subresource: 'binding', body }));
  assert.equal(refused.code, 409);
  assert.match(refused.message ?? '', /pod a is already assigned to node "node-1"/);
});

test('an eviction respects a disruption budget', async () => {
  const server = await startTestServer();
  await server.object('create', 'pods', {
    body: { ...pod('a'), metadata: { name: 'a', labels: { app: 'x' } } },
  });
  const running = await server.object<Pod>('get', 'pods', { name: 'a' });
  const status = { ...running.status, phase: 'Running' };
  await server.object('update', 'pods', { name: 'a', subresource: 'status', body: { ...running, status } });
  await server.object('create', 'poddisruptionbudgets', {
    body: { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } },
  });
  const body = { metadata: { name: 'a' } };
  const refused = await refusal(
    server.handle('create', 'pods', { name: 'a', subresource: 'eviction', body }),
  );
  assert.equal(refused.code, 429);
  await server.object('delete', 'poddisruptionbudgets', { name: 'b' });
  await server.object('create', 'pods', { name: 'a', subresource: 'eviction', body });
  assert.equal((await refusal(server.handle('get', 'pods', { name: 'a' }))).code, 404);
});

test('scale reads and writes replicas', async () => {
  const server = await startTestServer();
  await server.object('create', 'statefulsets', { body: structuredClone(set) });
  const parts = { name: 'web', subresource: 'scale' };
  const before = (await server.object('get', 'statefulsets', parts)) as unknown as {
    spec: object;
    status: object;
  };
  assert.deepEqual(before.spec, { replicas: 2 });
  assert.deepEqual(before.status, { replicas: 0, selector: 'app=nginx' });
  const body = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web' },
    spec: { replicas: 5 },
  };
  await server.object('update', 'statefulsets', { ...parts, body });
  assert.equal((await server.object<StatefulSet>('get', 'statefulsets', { name: 'web' })).spec.replicas, 5);
  const negative = { ...body, spec: { replicas: -1 } };
  const refused = await refusal(server.handle('update', 'statefulsets', { ...parts, body: negative }));
  assert.equal(
    refused.message,
    'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
});
