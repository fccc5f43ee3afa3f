import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReason } from '../../api/errors.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

async function serverWith(hard: Record<string, string>, spec: object = {}): Promise<TestServer> {
  const server = await startTestServer();
  await server.object('create', 'resourcequotas', {
    body: { metadata: { name: 'q' }, spec: { hard, ...spec } },
  });
  return server;
}

const asking = (name: string, requests: Record<string, string>, extra: object = {}): object =>
  pod(name, { containers: [{ name: 'main', image: 'nginx', resources: { requests } }], ...extra });

test('what would exceed the quota is refused, with the numbers', async () => {
  const server = await serverWith({ pods: '2', 'requests.memory': '1Gi' });
  await server.object('create', 'pods', { body: asking('a', { memory: '512Mi' }) });
  const refused = await refusal(server.handle('create', 'pods', { body: asking('b', { memory: '768Mi' }) }));
  assert.equal(refused.code, 403);
  assert.equal(
    refused.message,
    'pods "b" is forbidden: exceeded quota: q, requested: requests.memory=768Mi, used: requests.memory=512Mi, limited: requests.memory=1Gi',
  );
  await server.object('create', 'pods', { body: asking('b', { memory: '512Mi' }) });
  const third = await refusal(server.handle('create', 'pods', { body: asking('c', { memory: '1' }) }));
  assert.match(`${third.message}`, /requested: pods=1,requests\.memory=1, used: pods=2,requests\.memory=1Gi/);
  await server.handle('delete', 'pods', { name: 'a' });
  await server.object('create', 'pods', { body: asking('c', { memory: '1' }) });
});

test('of many at once, only as many as fit are made', async () => {
  const server = await serverWith({ pods: '5' });
  const made = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => server.handle('create', 'pods', { body: pod(`p-${index}`) })),
  );
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 5);
  for (const result of made)
    if (result.status === 'rejected') assert.ok(isReason(result.reason, 'Forbidden'));
});

test('what is refused, or only tried, takes nothing', async () => {
  const server = await serverWith({ configmaps: '1', 'count/secrets': '1' });
  const body = { metadata: { name: 'c' } };
  await server.object('create', 'configmaps', { body, options: { dryRun: true } });
  await refusal(server.handle('create', 'configmaps', { body: { metadata: { name: 'Not A Name' } } }));
  await server.object('create', 'configmaps', { body });
  const refused = await refusal(server.handle('create', 'configmaps', { body: { metadata: { name: 'd' } } }));
  assert.match(
    `${refused.message}`,
    /exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1/,
  );
  await server.object('create', 'secrets', { body });
  assert.match(
    `${(await refusal(server.handle('create', 'secrets', { body: { metadata: { name: 'd' } } }))).message}`,
    /count\/secrets=1/,
  );
});

test('a pod must say what it takes of what is bounded', async () => {
  const server = await serverWith({ 'limits.cpu': '1', 'requests.cpu': '1' });
  const refused = await refusal(server.handle('create', 'pods', { body: pod('a') }));
  assert.equal(
    refused.message,
    'pods "a" is forbidden: failed quota: q: must specify limits.cpu for: main; requests.cpu for: main',
  );
});

test('a quota with scopes counts only what lies in them', async () => {
  const server = await serverWith({ pods: '1' }, { scopes: ['BestEffort'] });
  await server.object('create', 'pods', { body: pod('a') });
  await refusal(server.handle('create', 'pods', { body: pod('b') }));
  await server.object('create', 'pods', { body: asking('c', { cpu: '1' }) });
});

test('a claim that grows counts what it grows by', async () => {
  const server = await serverWith({ 'requests.storage': '3Gi' });
  const claim = (storage: string): object => ({
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  await server.object('create', 'persistentvolumeclaims', { body: claim('2Gi') });
  const refused = await refusal(
    server.handle('create', 'persistentvolumeclaims', { body: { ...claim('2Gi'), metadata: { name: 'd' } } }),
  );
  assert.match(
    `${refused.message}`,
    /requested: requests\.storage=2Gi, used: requests\.storage=2Gi, limited: requests\.storage=3Gi/,
  );
});
