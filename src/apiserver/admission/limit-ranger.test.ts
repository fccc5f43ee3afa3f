import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitRange, Pod } from '../../api/generated/types.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

const withResources = (name: string, resources: object): object =>
  pod(name, { containers: [{ name: 'main', image: 'nginx', resources }] });

test('containers that say nothing get the defaults, and the pod says so', async () => {
  const server = await startTestServer();
  const range = await server.object<LimitRange>('create', 'limitranges', {
    body: {
      metadata: { name: 'r' },
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1' },
            defaultRequest: { cpu: '100m' },
            default: { memory: '1Gi' },
          },
        ],
      },
    },
  });
  assert.deepEqual(range.spec.limits[0]?.default, { cpu: '1', memory: '1Gi' });
  assert.deepEqual(range.spec.limits[0]?.defaultRequest, { cpu: '100m', memory: '1Gi' });
  const made = await server.object<Pod>('create', 'pods', {
    body: withResources('a', { limits: { cpu: '500m' } }),
  });
  assert.deepEqual(made.spec.containers[0]?.resources, {
    limits: { cpu: '500m', memory: '1Gi' },
    requests: { cpu: '500m', memory: '1Gi' },
  });
  const silent = await server.object<Pod>('create', 'pods', { body: pod('b') });
  assert.deepEqual(silent.spec.containers[0]?.resources?.requests, { cpu: '100m', memory: '1Gi' });
  assert.equal(
    silent.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main',
  );
});

test('bounds of containers, pods and claims are held, with the reason', async () => {
  const server = await startTestServer();
  await server.object('create', 'limitranges', {
    body: {
      metadata: { name: 'r' },
      spec: {
        limits: [
          { type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '4' } },
          { type: 'Pod', max: { cpu: '1500m' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } },
        ],
      },
    },
  });
  const why = async (plural: string, body: object) =>
    (await refusal(server.handle('create', plural, { body }))).message;
  assert.equal(
    await why('pods', withResources('a', { requests: { cpu: '50m' }, limits: { cpu: '60m' } })),
    'pods "a" is forbidden: minimum cpu usage per Container is 100m, but request is 50m',
  );
  assert.match(
    `${await why('pods', withResources('a', { requests: { cpu: '1' }, limits: { cpu: '2' } }))}`,
    /maximum cpu usage per Container is 1, but limit is 2/,
  );
  assert.match(
    `${await why('pods', withResources('a', { requests: { cpu: '100m' }, limits: { cpu: '900m' } }))}`,
    /cpu max limit to request ratio per Container is 4, but provided ratio is 9\.000000/,
  );
  const two = ['x', 'y'].map((name) => ({ name, image: 'nginx', resources: { limits: { cpu: '1' } } }));
  assert.match(
    `${await why('pods', pod('a', { containers: two }))}`,
    /maximum cpu usage per Pod is 1500m, but limit is 2/,
  );
  const claim = (storage: string): object => ({
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  assert.match(
    `${await why('persistentvolumeclaims', claim('10Gi'))}`,
    /maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi/,
  );
  await server.object('create', 'persistentvolumeclaims', { body: claim('2Gi') });
});

test('a pod that is resized is bounded as a new one', async () => {
  const server = await startTestServer();
  await server.object('create', 'limitranges', {
    body: { metadata: { name: 'r' }, spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
  });
  const resources = { requests: { cpu: '100m' }, limits: { cpu: '500m' } };
  await server.object('create', 'pods', { body: withResources('a', resources) });
  const resize = (limit: string): Promise<unknown> =>
    server.handle('patch', 'pods', {
      name: 'a',
      subresource: 'resize',
      patchType: 'strategic',
      body: { spec: { containers: [{ name: 'main', resources: { limits: { cpu: limit } } }] } },
    });
  await resize('900m');
  assert.match(
    `${(await refusal(resize('2'))).message}`,
    /pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2/,
  );
});

test('a range that contradicts itself is no range', async () => {
  const server = await startTestServer();
  const limits = [{ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } }];
  const body = { metadata: { name: 'r' }, spec: { limits } };
  const refused = await refusal(server.handle('create', 'limitranges', { body }));
  assert.equal(refused.code, 422);
  assert.match(`${refused.message}`, /min value 2 is greater than max value 1/);
});
