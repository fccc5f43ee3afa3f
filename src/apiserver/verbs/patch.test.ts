// Patches and versions: what a patch says of the version it was made for, and what happens when it says nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict } from '../../api/errors.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

async function withConfigMap(): Promise<{ server: TestServer; made: Stored<ConfigMap> }> {
  const server = await startTestServer();
  const body = { metadata: { name: 'a', namespace: 'default' }, data: { key: 'old' } };
  const made = await server.object<ConfigMap>('create', 'configmaps', { namespace: 'default', body });
  return { server, made };
}

const patched = (
  server: TestServer,
  patchType: 'json' | 'merge',
  body: unknown,
): Promise<Stored<ConfigMap>> =>
  server.object<ConfigMap>('patch', 'configmaps', { namespace: 'default', name: 'a', patchType, body });

const change = { op: 'replace', path: '/data/key', value: 'new' };
const versioned = (op: 'test' | 'replace', value: string) => ({
  op,
  path: '/metadata/resourceVersion',
  value,
});

for (const op of ['test', 'replace'] as const) {
  test(`a JSON patch may ${op} the version`, async () => {
    const { server, made } = await withConfigMap();
    const now = made.metadata.resourceVersion;
    assert.equal((await patched(server, 'json', [versioned(op, now), change])).data?.key, 'new');
    await assert.rejects(patched(server, 'json', [versioned(op, now), { ...change, value: 'newer' }]));
    const kept = await server.object<ConfigMap>('get', 'configmaps', { namespace: 'default', name: 'a' });
    assert.equal(kept.data?.key, 'new');
  });
}

test('what has a uid and is not there is not made', async () => {
  const server = await startTestServer();
  const metadata = { name: 'a', uid: 'u-1' };
  const apply = (resource: 'configmaps' | 'leases', apiVersion: string, kind: string) =>
    server.object('patch', resource, {
      namespace: 'default',
      name: 'a',
      patchType: 'apply',
      resource: server.resource(resource),
      options: { fieldManager: 'm' },
      body: { apiVersion, kind, metadata },
    });
  await assert.rejects(apply('configmaps', 'v1', 'ConfigMap'), {
    code: 409,
    message:
      'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u-1, and no existing object was found',
  });
  const put = server.object('update', 'leases', {
    namespace: 'default',
    name: 'a',
    resource: server.resource('leases'),
    body: { metadata, spec: {} },
  });
  await assert.rejects(put, {
    code: 409,
    message: /Precondition failed: UID in precondition: u-1, UID in object meta: $/,
  });
});

test('a merge patch with an old version is a conflict, without one it is not', async () => {
  const { server, made } = await withConfigMap();
  await patched(server, 'merge', { data: { key: 'new' } });
  const old = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { key: 'older' } };
  await assert.rejects(patched(server, 'merge', old), isConflict);
  assert.equal((await patched(server, 'merge', { data: { key: 'newer' } })).data?.key, 'newer');
});
