import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

test('a pod whose account is not there is refused', async () => {
  const server = await startTestServer();
  const body = pod('a', { serviceAccountName: 'x' });
  const refused = await refusal(server.handle('create', 'pods', { body }));
  assert.equal(
    refused.message,
    'pods "a" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
  );
});

test('the default account of a new namespace is waited for, a little', async () => {
  const server = await startTestServer();
  await server.handle('create', 'namespaces', { body: { metadata: { name: 'new' } } });
  const making = server.object<Pod>('create', 'pods', { namespace: 'new', body: pod('a') });
  await server.handle('create', 'serviceaccounts', {
    namespace: 'new',
    body: { metadata: { name: 'default' } },
  });
  const settled = making.then(() => true);
  let done = false;
  void settled.then(() => {
    done = true;
  });
  while (!done) {
    server.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await making).spec.serviceAccountName, 'default');
});

test('every container gets the token, unless pod, account or container says no', async () => {
  const server = await startTestServer();
  const own = [{ name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
  const made = await server.object<Pod>('create', 'pods', {
    body: pod('a', {
      volumes: [{ name: 'own', emptyDir: {} }],
      initContainers: [{ name: 'first', image: 'nginx' }],
      containers: [
        { name: 'main', image: 'nginx' },
        { name: 'other', image: 'nginx', volumeMounts: own },
      ],
    }),
  });
  const volume = made.spec.volumes?.find(({ name }) => /^kube-api-access-[a-z0-9]{5}$/.test(name));
  assert.deepEqual(
    volume?.projected?.sources?.map((source) => Object.keys(source)[0]),
    ['serviceAccountToken', 'configMap', 'downwardAPI'],
  );
  assert.deepEqual(
    [...(made.spec.initContainers ?? []), ...made.spec.containers].map(
      ({ volumeMounts }) => volumeMounts?.[0]?.name,
    ),
    [volume?.name, volume?.name, 'own'],
  );
  const without = await server.object<Pod>('create', 'pods', {
    body: pod('b', { automountServiceAccountToken: false }),
  });
  assert.equal(without.spec.volumes, undefined);
  await server.object('create', 'serviceaccounts', {
    body: {
      metadata: { name: 'bare' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'registry' }],
    },
  });
  const bare = await server.object<Pod>('create', 'pods', { body: pod('c', { serviceAccountName: 'bare' }) });
  assert.equal(bare.spec.volumes, undefined);
  assert.deepEqual(bare.spec.imagePullSecrets, [{ name: 'registry' }]);
});

test('an account that lists its secrets lets its pods use no others', async () => {
  const server = await startTestServer();
  const body = {
    metadata: { name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    secrets: [{ name: 'listed' }],
  };
  await server.object('create', 'serviceaccounts', { body });
  const create = (spec: object) =>
    server.handle('create', 'pods', {
      body: pod('a', { serviceAccountName: 'strict', ...spec }),
      options: { dryRun: true },
    });
  const volume = (secretName: string) => ({ volumes: [{ name: 'v', secret: { secretName } }] });
  await create(volume('listed'));
  assert.equal(
    (await refusal(create(volume('other')))).message,
    'pods "a" is forbidden: volume with secret.secretName="other" is not allowed because service account strict does not reference that secret',
  );
  const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }];
  assert.match(
    (await refusal(create({ containers: [{ name: 'c', image: 'i', env }] }))).message ?? '',
    /container c with envVar A referencing secret\.secretName="other" is not allowed/,
  );
  assert.match(
    (await refusal(create({ imagePullSecrets: [{ name: 'other' }] }))).message ?? '',
    /imagePullSecrets\[0\]\.name="other" is not allowed .* imagePullSecret$/,
  );
});

test('a mirror pod has no account and no secrets', async () => {
  const server = await startTestServer();
  const create = (spec: object) => {
    const { metadata, ...rest } = pod('a', { nodeName: 'n', ...spec }) as { metadata: object };
    const body = { ...rest, metadata: { ...metadata, annotations: { 'kubernetes.io/config.mirror': 'x' } } };
    return server.handle('create', 'pods', { body, options: { dryRun: true } });
  };
  await create({});
  assert.match(
    (await refusal(create({ serviceAccountName: 'default' }))).message ?? '',
    /a mirror pod may not reference service accounts$/,
  );
  assert.match(
    (await refusal(create({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }))).message ?? '',
    /a mirror pod may not reference secrets$/,
  );
});
