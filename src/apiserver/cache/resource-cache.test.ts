import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { silentLog } from '../../base/log.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { encodeStored } from '../codec.ts';
import { storeKey } from '../keys.ts';
import { CacheHub } from './hub.ts';
import { HISTORY_LIMIT } from './resource-cache.ts';
import type { Selection } from './selection.ts';
import { WATCHER_BACKLOG_LIMIT } from './watcher.ts';

const everything = { namespace: undefined, matches: undefined };

async function write(store: ReturnType<typeof openMemoryStore>, name: string): Promise<void> {
  const key = storeKey(configMaps, { namespace: 'a', name });
  const current = await store.get(key);
  const metadata = { name, namespace: 'a' };
  await store.put(key, encodeStored({ metadata }), current?.revision ?? 0);
}

test('a watcher that is not read is cut off at its limit, and the others go on', async () => {
  const store = openMemoryStore();
  const hub = new CacheHub(store, new VirtualClock(), silentLog);
  const cache = await hub.of(configMaps);
  const slow = cache.watch(everything, hub.revision);
  const quick = cache.watch(everything, hub.revision);
  let seen = 0;
  for (let i = 0; i <= WATCHER_BACKLOG_LIMIT; i++) {
    await write(store, 'x');
    seen += (await quick.next())?.length ?? 0;
  }
  assert.equal(await slow.next(), undefined);
  assert.equal(seen, WATCHER_BACKLOG_LIMIT + 1);
  assert.throws(() => cache.watch(everything, 1), { message: /^too old resource version: 1 \(\d+\)$/ });
  const recent = cache.watch(everything, hub.revision - HISTORY_LIMIT + 1);
  assert.equal((await recent.next())?.length, HISTORY_LIMIT - 1);
  hub.stop();
  assert.equal(await quick.next(), undefined);
});

test('what is written while a cache fills is in it once', async () => {
  const store = openMemoryStore();
  await write(store, 'x');
  const hub = new CacheHub(store, new VirtualClock(), silentLog);
  const filling = hub.of(configMaps);
  await write(store, 'y');
  await write(store, 'x');
  const cache = await filling;
  assert.deepEqual(
    [...cache.list()].map(({ metadata }) => metadata.name),
    ['x', 'y'],
  );
  assert.equal(cache.get('a', 'x')?.metadata.resourceVersion, '3');
  hub.stop();
});

test('an object that is made again at once is deleted and added to a watch of its name, wherever that begins', async () => {
  const store = openMemoryStore();
  const hub = new CacheHub(store, new VirtualClock(), silentLog);
  const cache = await hub.of(configMaps);
  await write(store, 'x');
  const first = hub.revision;
  const ofItsName: Selection = { namespace: 'a', matches: ({ metadata }) => metadata.name === 'x' };
  const running = cache.watch(ofItsName, first);
  await store.delete(storeKey(configMaps, { namespace: 'a', name: 'x' }), first);
  await write(store, 'x');
  // Both changes are taken before anybody reads.
  for (const watcher of [running, cache.watch(ofItsName, first)]) {
    const events = await watcher.next();
    assert.deepEqual(
      events?.map(({ type }) => type),
      ['DELETED', 'ADDED'],
    );
  }
  hub.stop();
});

test('lists are in order, whatever came and went since the last one', async () => {
  const name = fc.constantFrom('a', 'b', 'ba', 'c', 'd', 'e');
  const step = fc.oneof(
    fc.record({ type: fc.constant('write' as const), name }),
    fc.record({ type: fc.constant('delete' as const), name }),
    fc.record({ type: fc.constant('list' as const), name }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const store = openMemoryStore();
      const hub = new CacheHub(store, new VirtualClock(), silentLog);
      const cache = await hub.of(configMaps);
      const there = new Set<string>();
      for (const { type, name } of [...steps, { type: 'list' as const, name: '' }]) {
        if (type === 'write') {
          await write(store, name);
          there.add(name);
        } else if (type === 'delete') {
          const key = storeKey(configMaps, { namespace: 'a', name });
          const current = await store.get(key);
          if (current) await store.delete(key, current.revision);
          there.delete(name);
        } else {
          assert.deepEqual(
            [...cache.list('a')].map(({ metadata }) => metadata.name),
            [...there].sort(),
          );
        }
      }
      hub.stop();
    }),
  );
});

test('a store that cannot be read at first is waited for', async () => {
  const store = openMemoryStore();
  await write(store, 'x');
  const clock = new VirtualClock();
  const revision = store.revision.bind(store);
  let failures = 3;
  store.revision = async () => {
    if (failures-- > 0) throw new Error('unreachable');
    return revision();
  };
  const hub = new CacheHub(store, clock, silentLog);
  const filling = hub.of(configMaps);
  await clock.advance(10_000);
  assert.equal((await filling).get('a', 'x')?.metadata.name, 'x');
  hub.stop();
});

test('a hub that is stopped before it has reached its store lets nobody wait', async () => {
  const store = openMemoryStore();
  store.revision = () => Promise.reject(new Error('unreachable'));
  const hub = new CacheHub(store, new VirtualClock(), silentLog);
  const filling = hub.of(configMaps);
  hub.stop();
  await assert.rejects(filling, /stopping/);
});
