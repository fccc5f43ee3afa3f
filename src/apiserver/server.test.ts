import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Namespace, Pod, Service, StatefulSet } from '../api/generated/types.ts';
import { encodeObject } from './codec.ts';
import type { WatchEvent } from './request.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const configMap = (name: string, data: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

const pod = (name: string, extra: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...extra },
});

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

async function nextEvents(stream: { next(): Promise<readonly WatchEvent[] | undefined> }): Promise<string[]> {
  const events = (await stream.next()) ?? [];
  return events.map(
    ({ type, object }) =>
      `${type} ${'metadata' in object ? (object.metadata as { name?: string }).name : ''}`,
  );
}

async function refusal(
  promise: Promise<unknown>,
): Promise<{ code?: number; message?: string; reason?: string }> {
  try {
    await promise;
  } catch (error) {
    return (error as { status: object }).status;
  }
  throw new Error('was not refused');
}

async function scheduled(server: TestServer, name: string, extra: object = {}): Promise<void> {
  await server.object('create', 'pods', { body: pod(name, extra) });
  const body = { metadata: { name }, target: { kind: 'Node', name: 'node-1' } };
  await server.object('create', 'pods', { name, subresource: 'binding', body });
}

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
  const before = server.store.revision();
  await server.object('create', 'configmaps', { body: configMap('a'), options: { dryRun: true } });
  assert.equal(server.store.revision(), before);
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
  await server.store.compact(server.store.revision());
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
  assert.match(refused.message ?? '', /field label not supported: data.x/);
});

test('a watch delivers what comes after its version; with a selector objects enter and leave', async () => {
  const server = await startTestServer();
  const { metadata } = await server.list('list', 'configmaps');
  const options = { resourceVersion: metadata.resourceVersion };
  const all = await server.watch('watch', 'configmaps', { options });
  const some = await server.watch('watch', 'configmaps', { options: { ...options, labelSelector: 'app=x' } });
  await server.object('create', 'configmaps', { body: configMap('a') });
  await server.object('update', 'configmaps', {
    name: 'a',
    body: { metadata: { name: 'a', labels: { app: 'x' } } },
  });
  await server.object('update', 'configmaps', { name: 'a', body: { metadata: { name: 'a' } } });
  await server.object('delete', 'configmaps', { name: 'a' });
  assert.deepEqual(await nextEvents(all), ['ADDED a', 'MODIFIED a', 'MODIFIED a', 'DELETED a']);
  assert.deepEqual(await nextEvents(some), ['ADDED a', 'DELETED a']);
  const resumed = await server.watch('watch', 'configmaps', { options });
  assert.deepEqual(await nextEvents(resumed), ['ADDED a', 'MODIFIED a', 'MODIFIED a', 'DELETED a']);
  all.stop();
  assert.equal(await all.next(), undefined);
});

test('a streaming list ends with a bookmark; bookmarks come by the clock', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: configMap('a') });
  const stream = await server.watch('watch', 'configmaps', {
    options: {
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
      timeoutSeconds: 90,
    },
  });
  const events = (await stream.next()) ?? [];
  assert.deepEqual(
    events.map(({ type }) => type),
    ['ADDED', 'BOOKMARK'],
  );
  const end = events[1]?.object as ConfigMap;
  assert.equal(end.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  server.clock.advance(60_000);
  assert.deepEqual(
    ((await stream.next()) ?? []).map(({ type }) => type),
    ['BOOKMARK'],
  );
  server.clock.advance(30_000);
  assert.deepEqual(
    ((await stream.next()) ?? []).map(({ type }) => type),
    ['BOOKMARK'],
  );
  assert.equal(await stream.next(), undefined);
});

test('a watch from before the history is told that it is too late', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: configMap('a') });
  await server.list('list', 'secrets');
  const stream = await server.watch('watch', 'secrets', { options: { resourceVersion: '1' } });
  const [event] = (await stream.next()) ?? [];
  assert.equal(event?.type, 'ERROR');
  assert.match(JSON.stringify(event?.object), /too old resource version: 1 \(\d+\)/);
  assert.equal(await stream.next(), undefined);
});

test('a pod without a node goes at once; one with a node waits for it, and can only be hurried', async () => {
  const server = await startTestServer();
  await server.object('create', 'pods', { body: pod('free') });
  const gone = await server.object('delete', 'pods', { name: 'free' });
  assert.equal((gone as unknown as { status: string }).status, 'Success');
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
