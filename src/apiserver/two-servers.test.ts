// Two API servers on one store that is far away from both: what one has written the other reads, and nothing of which
// there is one is given away twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, Service } from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { openMemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { DistantStore } from '../testing/distant-store.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts';

interface Pair {
  store: Store;
  a: TestServer;
  b: TestServer;
  /** How B sees the store. */
  distant: DistantStore;
}

/** Two servers on one store; what B is told comes up to so many turns later. */
async function startPair(options: TestServerOptions & { turns?: number } = {}): Promise<Pair> {
  const store = openMemoryStore();
  const random = seededRandom(options.seed ?? 5);
  const turns = (): number => Math.floor(random.next() * (options.turns ?? 6));
  const distant = new DistantStore(store, turns);
  const a = await startTestServer({ ...options, store: new DistantStore(store, turns) });
  const b = await startTestServer({ ...options, store: distant, clock: a.clock, seed: 2 });
  return { store, a, b, distant };
}

const configMap = (name: string, value = ''): KubeObject & { data: object } => ({
  metadata: { name },
  data: { value },
});

const pod = (name: string): Pod => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'a:1' }] },
});

const service = (name: string, spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});

/** Who was let through and who was not, of many writes at once. */
async function outcomes<T extends KubeObject>(
  writes: Promise<Stored<T>>[],
): Promise<{ written: Stored<T>[]; refused: string[] }> {
  const results = await Promise.allSettled(writes);
  return {
    written: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    refused: results.flatMap((result) => (result.status === 'rejected' ? [`${result.reason.message}`] : [])),
  };
}

test('what one server has written the other reads at once, changes, lists and watches', async () => {
  const { a, b } = await startPair({ turns: 20 });
  const stream = await b.watch('watch', 'configmaps', { options: { labelSelector: 'of=a' } });
  for (let round = 0; round < 20; round++) {
    const name = `map-${round}`;
    const made = await a.object('create', 'configmaps', {
      body: { ...configMap(name), metadata: { name, labels: { of: 'a' } } },
    });
    const read = await b.object('get', 'configmaps', { name });
    assert.equal(read.metadata.resourceVersion, made.metadata.resourceVersion);
    const changed = await b.object('update', 'configmaps', { name, body: { ...read, data: { value: 'b' } } });
    const { items } = await a.list('list', 'configmaps');
    const listed = items.find(({ metadata }) => metadata.name === name);
    assert.equal(listed?.metadata.resourceVersion, changed.metadata.resourceVersion);
    if (round % 2 === 0) continue;
    await a.handle('delete', 'configmaps', { name });
    await assert.rejects(b.object('get', 'configmaps', { name }), { code: 404 });
    await b.object('create', 'configmaps', { body: configMap(name) });
  }
  const seen: string[] = [];
  while (seen.length < 50) {
    for (const { type, object } of (await stream.next()) ?? [])
      seen.push(`${type} ${'metadata' in object ? (object as KubeObject).metadata.name : ''}`);
  }
  const expected = Array.from({ length: 20 }, (_, round) =>
    ['ADDED', 'MODIFIED', ...(round % 2 === 0 ? [] : ['DELETED'])].map((type) => `${type} map-${round}`),
  ).flat();
  assert.deepEqual(seen, expected);
  for (const { api } of [a, b]) api.stop();
});

test('a version that the other server has made is neither too large nor skipped', async () => {
  const { a, b } = await startPair({ turns: 30 });
  const made = await a.object('create', 'configmaps', { body: configMap('x') });
  const { resourceVersion } = made.metadata;
  const { metadata, items } = await b.list('list', 'configmaps', { options: { resourceVersion } });
  assert.ok(Number(metadata.resourceVersion) >= Number(resourceVersion));
  assert.ok(items.some((item) => item.metadata.name === 'x'));
  const stream = await b.watch('watch', 'configmaps', { options: { resourceVersion } });
  await a.handle('delete', 'configmaps', { name: 'x' });
  const [first] = (await stream.next()) ?? [];
  assert.equal(first?.type, 'DELETED');
  const future = { options: { resourceVersion: '1000000' } };
  await assert.rejects(b.list('list', 'configmaps', future), /Too large resource version: 1000000/);
  for (const { api } of [a, b]) api.stop();
});

test('a cluster address and a node port are given away once, and are free when their Service is gone', async () => {
  // Two servers that ask at once, and a range of thirteen for everybody.
  const { a, b, store } = await startPair({ serviceCidr: '10.96.0.0/28' });
  const servers = [a, b];
  const all = await outcomes(
    Array.from({ length: 30 }, (_, index) =>
      (servers[index % 2] as TestServer).object<Service>('create', 'services', {
        body: service(`s-${index}`),
      }),
    ),
  );
  const addresses = all.written.map(({ spec }) => spec.clusterIP);
  assert.equal(new Set(addresses).size, 13, `${addresses}`);
  assert.equal(all.written.length, 13);
  assert.ok(
    all.refused.every((why) => /range is full/.test(why)),
    all.refused[0],
  );

  const gone = all.written[0] as Stored<Service>;
  const clusterIP = gone.spec.clusterIP ?? '';
  for (let round = 0; round < 5; round++) {
    const name = round === 0 ? gone.metadata.name : `again-${round - 1}`;
    await a.handle('delete', 'services', { name });
    const again = await outcomes(
      servers.flatMap((server, index) => [
        server.object<Service>('create', 'services', {
          body: service(index === 0 ? `again-${round}` : `other-${round}`, { clusterIP }),
        }),
      ]),
    );
    assert.equal(again.written.length, 1, again.refused.join());
    assert.match(again.refused.join(), /provided IP is already allocated/);
    const winner = again.written[0]?.metadata.name ?? '';
    if (winner === `again-${round}`) continue;
    // By the next round it is called what that expects.
    await b.handle('delete', 'services', { name: winner });
    await b.object('create', 'services', { body: service(`again-${round}`, { clusterIP }) });
  }

  await a.handle('delete', 'services', { name: 'again-4' });
  const ports = await outcomes(
    servers.map((server, index) =>
      server.object<Service>('create', 'services', {
        body: service(`np-${index}`, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_007 }] }),
      }),
    ),
  );
  assert.equal(ports.written.length, 1);
  const one = ports.written[0] as Stored<Service>;
  await b.object('update', 'services', {
    name: one.metadata.name,
    body: { ...one, spec: { ...one.spec, type: 'ClusterIP', ports: [{ port: 80 }] } },
  });
  await a.handle('delete', 'services', { name: one.metadata.name });
  await a.object('create', 'services', {
    body: service('np-2', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_007 }] }),
  });
  // Nothing is left on record of what was refused or is gone.
  const { items } = await a.list('list', 'services');
  const reservedPorts = (await store.list('/reservations/')).entries.map(({ key }) => key.split('/').at(-1));
  const { items: objects } = await b.list('list', 'ipaddresses');
  const reserved = [...reservedPorts, ...objects.map(({ metadata }) => metadata.name)];
  const inUse = (items as Stored<Service>[]).flatMap(({ spec }) => [
    spec.clusterIP ?? '',
    ...(spec.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [`${nodePort}`] : [])),
  ]);
  assert.deepEqual(reserved.sort(), inUse.sort());
  for (const { api } of servers) api.stop();
});

test('a port of which the server died before the Service was written is free again after two minutes', async () => {
  const { a, b, store } = await startPair();
  const holder = { owner: 'default/lost', atMs: a.clock.now() };
  await store.put('/reservations/nodeports/30007', Buffer.from(JSON.stringify(holder)), 0);
  const body = service('x', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_007 }] });
  await assert.rejects(b.object('create', 'services', { body }), /already allocated/);
  a.clock.advance(121_000);
  await b.object('create', 'services', { body });
  // And of one that lives it is not, however long ago it was reserved.
  a.clock.advance(121_000);
  const other = { ...body, metadata: { name: 'y' } };
  await assert.rejects(a.object('create', 'services', { body: other }), /already allocated/);
  for (const { api } of [a, b]) api.stop();
});

test('a quota is used up exactly, whoever asks, and what is deleted can be had again at once', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { a, b } = await startPair({ seed });
    await a.object('create', 'resourcequotas', {
      body: { metadata: { name: 'ten' }, spec: { hard: { pods: '10' } } },
    });
    const servers = [a, b];
    const make = (names: string[]): Promise<{ written: Stored<Pod>[]; refused: string[] }> =>
      outcomes(
        names.map((name, index) =>
          (servers[index % 2] as TestServer).object<Pod>('create', 'pods', { body: pod(name) }),
        ),
      );
    const first = await make(Array.from({ length: 25 }, (_, index) => `p-${index}`));
    assert.equal(first.written.length, 10, `seed ${seed}`);
    assert.ok(
      first.refused.every((why) => /exceeded quota: ten, requested: pods=1, used: pods=10/.test(why)),
    );
    for (let round = 0; round < 6; round++) {
      const name = first.written[round]?.metadata.name ?? '';
      await (servers[round % 2] as TestServer).handle('delete', 'pods', {
        name,
        deleteOptions: { gracePeriodSeconds: 0 },
      });
      const again = await make([`q-${round}-0`, `q-${round}-1`, `q-${round}-2`]);
      assert.equal(again.written.length, 1, `seed ${seed}, round ${round}: ${again.refused}`);
    }
    const { items } = await b.list('list', 'pods');
    assert.equal(items.length, 10);
    for (const { api } of servers) api.stop();
  }
});

test('a server that loses its store goes on where it was, and has missed nothing', async () => {
  const { a, b, distant } = await startPair();
  const stream = await b.watch('watch', 'configmaps', { options: { labelSelector: 'x=y' } });
  distant.cut();
  const body = { metadata: { name: 'x', labels: { x: 'y' } }, data: { value: '1' } };
  const made = await a.object('create', 'configmaps', { body });
  await a.object('update', 'configmaps', { name: 'x', body: { ...made, data: { value: '2' } } });
  const reading = b.object('get', 'configmaps', { name: 'x' });
  distant.mend();
  await turns(50);
  b.clock.advance(5_000);
  assert.deepEqual(((await reading) as KubeObject & { data: object }).data, { value: '2' });
  const seen: string[] = [];
  while (seen.length < 2) for (const { type } of (await stream.next()) ?? []) seen.push(type);
  assert.deepEqual(seen, ['ADDED', 'MODIFIED']);
  for (const { api } of [a, b]) api.stop();
});

test('a server for which too much was forgotten meanwhile reads anew, and ends its watches', async () => {
  const { a, b, distant, store } = await startPair();
  await a.object('create', 'resourcequotas', {
    body: { metadata: { name: 'two' }, spec: { hard: { pods: '2' } } },
  });
  await b.object('create', 'pods', { body: pod('before') });
  await b.object('create', 'configmaps', { body: configMap('kept') });
  await b.object('create', 'configmaps', { body: configMap('changed', '1') });
  await b.object('create', 'configmaps', { body: configMap('gone') });
  const stream = await b.watch('watch', 'configmaps');
  await stream.next();
  distant.cut();
  await a.handle('delete', 'configmaps', { name: 'gone' });
  const changed = await a.object('get', 'configmaps', { name: 'changed' });
  await a.object('update', 'configmaps', { name: 'changed', body: { ...changed, data: { value: '2' } } });
  await a.object('create', 'configmaps', { body: configMap('new') });
  await a.object('create', 'pods', { body: pod('meanwhile') });
  await store.compact(await store.revision());
  distant.mend();
  await turns(50);
  b.clock.advance(5_000);
  while ((await stream.next()) !== undefined);
  const { items } = await b.list('list', 'configmaps');
  assert.deepEqual(
    items.map((item) => [item.metadata.name, (item as KubeObject & { data: { value: string } }).data.value]),
    [
      ['changed', '2'],
      ['kept', ''],
      ['new', ''],
    ],
  );
  await assert.rejects(b.object('get', 'configmaps', { name: 'gone' }), { code: 404 });
  // Who counts what is there has been told, too.
  await assert.rejects(b.object('create', 'pods', { body: pod('third') }), /exceeded quota: two/);
  await b.handle('delete', 'pods', { name: 'meanwhile', deleteOptions: { gracePeriodSeconds: 0 } });
  await b.object('create', 'pods', { body: pod('third') });
  for (const { api } of [a, b]) api.stop();
});

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise<void>((resolve) => setImmediate(resolve));
}
