import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps } from '../../api/resources/config-maps.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { encodeStored } from '../codec.ts';
import { storeKey } from '../keys.ts';
import { CacheHub } from './hub.ts';
import { HISTORY_LIMIT } from './resource-cache.ts';
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
  const hub = new CacheHub(store);
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
  const hub = new CacheHub(store);
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
