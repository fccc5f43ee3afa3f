import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '../../api/resources/pods/definition.ts';
import type { Informer } from '../../client/informers.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { healthChecks, WatchedInformers } from './health.ts';

test('ready is who has seen everything once, can ask the store, and is not about to end', async () => {
  let sync: () => void = () => {};
  const synced = new Promise<void>((resolve) => {
    sync = resolve;
  });
  // All that is asked of an informer here.
  const informer = { synced: () => synced } as unknown as Informer<never>;
  const watched = new WatchedInformers({ of: () => informer });
  const store = openMemoryStore();
  const ending = new AbortController();
  let complaint: string | undefined;
  const failures = async (): Promise<string[]> => {
    const results = await Promise.all(
      healthChecks(store, () => complaint, [watched], ending.signal).map(async ({ name, check }) => [
        name,
        await check(),
      ]),
    );
    return results.flatMap(([name, failure]) => (failure ? [`${name}: ${failure}`] : []));
  };
  assert.deepEqual(await failures(), []);
  watched.of(pods);
  watched.of(pods);
  assert.deepEqual(await failures(), ['informer-sync: 1 informers not started yet: [pods]']);
  sync();
  await synced;
  assert.deepEqual(await failures(), []);
  complaint = 'the disk is nearly full';
  assert.deepEqual(await failures(), ['store-disk: the disk is nearly full']);
  complaint = undefined;
  ending.abort();
  assert.deepEqual(await failures(), ['shutdown: process is shutting down']);
  const names = healthChecks(store, () => undefined, [watched], ending.signal).map(({ name }) => name);
  assert.ok(names.includes('etcd') && names.includes('poststarthook/rbac/bootstrap-roles'));
});
