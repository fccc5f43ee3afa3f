import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSet } from '../../api/generated/types.ts';
import { encodeOne } from '../http/forms/encode.ts';
import { refusal } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const SET = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec: {
    serviceName: 'web',
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'b' }] } },
  },
};

function applyScale(server: TestServer, replicas: number, fieldManager: string, force = false) {
  return server.handle('patch', 'statefulsets', {
    name: 'web',
    subresource: 'scale',
    patchType: 'apply',
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas } },
    options: { fieldManager, force },
  });
}

test('an applied scale owns the number of replicas of what it scales', async () => {
  const server = await startTestServer();
  const body = structuredClone(SET);
  await server.object('create', 'statefulsets', { body, options: { fieldManager: 'maker' } });

  const refused = await refusal(applyScale(server, 5, 'scaler'));
  assert.equal(refused.code, 409);
  assert.match(refused.message ?? '', /conflict with "maker" using apps\/v1: \.spec\.replicas/);

  const result = await applyScale(server, 5, 'scaler', true);
  assert.ok(result.type === 'object' && result.object.kind === 'Scale' && 'spec' in result.object);
  assert.deepEqual(result.object.spec, { replicas: 5 });
  const set = await server.object<StatefulSet>('get', 'statefulsets', { name: 'web' });
  assert.equal(set.spec.replicas, 5);
  const owner = set.metadata.managedFields?.find(({ manager }) => manager === 'scaler');
  assert.deepEqual(
    [owner?.operation, owner?.subresource, owner?.apiVersion, owner?.fieldsV1],
    ['Apply', 'scale', 'apps/v1', { 'f:spec': { 'f:replicas': {} } }],
  );
  const maker = set.metadata.managedFields?.find(({ manager }) => manager === 'maker');
  assert.doesNotMatch(JSON.stringify(maker), /f:replicas/);

  assert.match(
    (await refusal(applyScale(server, -1, 'scaler', true))).message ?? '',
    /spec.replicas: Invalid value: -1/,
  );
});

test('a scale is printed with what is wanted and what there is', async () => {
  const server = await startTestServer();
  await server.object('create', 'statefulsets', { body: structuredClone(SET) });
  const scale = await server.object('get', 'statefulsets', { name: 'web', subresource: 'scale' });
  const options = { includeObject: 'None', nowMs: server.clock.now() } as const;
  const accepted = { format: 'json', shape: 'Table' } as const;
  const bytes = encodeOne(server.api.schema, server.resource('statefulsets'), scale, accepted, () => options);
  assert.deepEqual(JSON.parse(bytes.toString()).rows[0].cells, ['web', 2, 0, '0s']);
});

test('a subresource that is not served is no object that is missing', async () => {
  const server = await startTestServer();
  const refused = await refusal(server.handle('get', 'services', { name: 'x', subresource: 'scale' }));
  assert.deepEqual(
    [refused.code, refused.message],
    [404, 'the server could not find the requested resource'],
  );
});
