import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '../../api/generated/types.ts';
import { configMap, nextEvents } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

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
