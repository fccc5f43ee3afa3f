// What a node may do, as upstream's node authorizer says: its own things, what its pods use, and nothing else.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { SubjectAccessReview } from '../../api/generated/types.ts';
import { pod, scheduled } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const NODE = { name: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] };

interface Question {
  name?: string;
  subresource?: string;
  group?: string;
  namespace?: string;
  fieldSelector?: string;
}

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await server.object('create', 'nodes', { body: { metadata: { name: 'node-1' } } });
  const volumes = [
    { name: 's', secret: { secretName: 'used' } },
    { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
    {
      name: 'e',
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      },
    },
  ];
  await scheduled(server, 'web-0', { volumes, imagePullSecrets: [{ name: 'pull' }] });
  const other = [{ name: 's', secret: { secretName: 'other' } }];
  await server.object('create', 'pods', { body: pod('elsewhere', { volumes: other }) });
  const volume = (name: string, claim: string, secret: string): object => ({
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { namespace: 'default', name: claim },
      csi: { driver: 'd', volumeHandle: name, nodePublishSecretRef: { namespace: 'default', name: secret } },
    },
  });
  await server.object('create', 'persistentvolumes', { body: volume('mine', 'data', 'mount') });
  await server.object('create', 'persistentvolumes', { body: volume('theirs', 'theirs', 'foreign') });
  const local = (name: string, node: string): object => ({
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { namespace: 'default', name: `of-${name}` },
      local: { path: `/volumes/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
          ],
        },
      },
    },
  });
  await server.object('create', 'persistentvolumes', { body: local('here', 'node-1') });
  await server.object('create', 'persistentvolumes', { body: local('there', 'node-2') });
});

async function ask(
  verb: string,
  plural: string,
  question: Question = {},
  user = NODE,
): Promise<true | string> {
  const { group = '', namespace = 'default', subresource, name, fieldSelector } = question;
  const { allowed, reason = '' } = await server.api.identity.authorize(user, {
    resource: { group, plural },
    verb,
    subresource,
    namespace,
    name,
    fieldSelector,
  });
  return allowed || reason;
}

const UNRELATED = "no relationship found between node 'node-1' and this object";

test('secrets, config maps, claims, volumes and accounts: those of its pods, one at a time', async () => {
  for (const name of ['used', 'pull', 'mount'])
    assert.equal(await ask('get', 'secrets', { name }), true, name);
  for (const name of ['other', 'foreign', 'none'])
    assert.equal(await ask('get', 'secrets', { name }), UNRELATED);
  assert.equal(await ask('watch', 'secrets', { name: 'used' }), true);
  assert.equal(await ask('list', 'secrets'), 'No Object name found');
  assert.equal(await ask('update', 'secrets', { name: 'used' }), 'can only read resources of this type');
  assert.equal(await ask('get', 'secrets', { name: 'used', namespace: 'kube-system' }), UNRELATED);
  assert.equal(await ask('get', 'configmaps', { name: 'kube-root-ca.crt' }), true);
  for (const name of ['data', 'web-0-e'])
    assert.equal(await ask('get', 'persistentvolumeclaims', { name }), true);
  assert.equal(await ask('patch', 'persistentvolumeclaims', { name: 'data', subresource: 'status' }), true);
  assert.equal(
    await ask('list', 'persistentvolumeclaims', { name: 'data' }),
    'can only get individual resources of this type',
  );
  assert.equal(await ask('get', 'persistentvolumes', { name: 'mine', namespace: '' }), true);
  assert.equal(await ask('get', 'persistentvolumes', { name: 'theirs', namespace: '' }), UNRELATED);
  assert.equal(await ask('create', 'serviceaccounts', { name: 'default', subresource: 'token' }), true);
  assert.equal(await ask('get', 'serviceaccounts', { name: 'default' }), true);
  assert.equal(await ask('create', 'serviceaccounts', { name: 'admin', subresource: 'token' }), UNRELATED);
});

test('volumes whose bytes it keeps: it lets them go, and tells their claims, whether a pod is there or not', async () => {
  const patching = (name: string): Promise<true | string> =>
    ask('patch', 'persistentvolumes', { name, namespace: '' });
  assert.equal(await patching('here'), true);
  for (const name of ['there', 'mine', 'none']) assert.equal(await patching(name), UNRELATED, name);
  const status = { subresource: 'status' };
  assert.equal(await ask('get', 'persistentvolumeclaims', { name: 'of-here' }), true);
  assert.equal(await ask('update', 'persistentvolumeclaims', { name: 'of-here', ...status }), true);
  assert.equal(await ask('get', 'persistentvolumeclaims', { name: 'of-there' }), UNRELATED);
  assert.equal(await ask('update', 'persistentvolumeclaims', { name: 'of-there', ...status }), UNRELATED);
  assert.equal(
    await ask('get', 'persistentvolumeclaims', { name: 'of-here', namespace: 'other' }),
    UNRELATED,
  );
  assert.notEqual(await ask('delete', 'persistentvolumeclaims', { name: 'of-here' }), true);
});

test('pods and nodes: reads of its own; which it may write, admission says', async () => {
  assert.equal(await ask('list', 'pods', { fieldSelector: 'spec.nodeName=node-1' }), true);
  assert.equal(
    await ask('watch', 'pods', { fieldSelector: 'status.phase!=Failed,spec.nodeName=node-1' }),
    true,
  );
  for (const fieldSelector of [undefined, 'spec.nodeName=node-2', 'spec.nodeName!=node-1', '=']) {
    const refused = await ask('list', 'pods', fieldSelector ? { fieldSelector } : {});
    assert.equal(refused, 'can only list/watch pods with spec.nodeName field selector');
  }
  assert.equal(await ask('get', 'pods', { name: 'web-0' }), true);
  assert.equal(await ask('get', 'pods', { name: 'elsewhere' }), UNRELATED);
  assert.equal(await ask('patch', 'pods', { name: 'elsewhere', subresource: 'status' }), true);
  assert.equal(await ask('create', 'pods', { name: 'web-0', subresource: 'eviction' }), true);
  assert.equal(await ask('get', 'pods', { name: 'web-0', subresource: 'log' }), '');
  assert.equal(await ask('get', 'nodes', { name: 'node-1' }), true);
  assert.equal(
    await ask('get', 'nodes', { name: 'node-2' }),
    "node 'node-1' cannot read 'node-2', only its own Node object",
  );
  assert.equal(await ask('list', 'nodes'), "node 'node-1' cannot read all nodes, only its own Node object");
  assert.equal(await ask('delete', 'nodes', { name: 'node-1' }), '');
});

test('a review may ask with a selector of fields', async () => {
  const review = async (fieldSelector?: object): Promise<boolean | undefined> => {
    const resourceAttributes = {
      verb: 'list',
      resource: 'pods',
      ...(fieldSelector ? { fieldSelector } : {}),
    };
    const body = { spec: { user: NODE.name, groups: NODE.groups, resourceAttributes } };
    const made = await server.object<SubjectAccessReview>('create', 'subjectaccessreviews', { body });
    return made.status?.allowed;
  };
  assert.equal(await review(), false);
  assert.equal(await review({ rawSelector: 'spec.nodeName=node-1' }), true);
  const requirements = [{ key: 'spec.nodeName', operator: 'In', values: ['node-1'] }];
  assert.equal(await review({ requirements }), true);
});

test('leases, CSI nodes, what all nodes have, and who is none', async () => {
  const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' };
  assert.equal(await ask('update', 'leases', { ...lease, name: 'node-1' }), true);
  assert.equal(await ask('create', 'leases', lease), true);
  assert.equal(
    await ask('update', 'leases', { ...lease, name: 'node-2' }),
    'can only access node lease with the same name as the requesting node',
  );
  assert.equal(
    await ask('get', 'leases', { ...lease, name: 'node-1', namespace: 'default' }),
    'can only access leases in the "kube-node-lease" system namespace',
  );
  assert.equal(
    await ask('list', 'leases', lease),
    'can only get, create, update, patch, or delete a node lease',
  );
  assert.equal(
    await ask('get', 'csinodes', { group: 'storage.k8s.io', name: 'node-1', namespace: '' }),
    true,
  );
  assert.equal(await ask('list', 'services'), true);
  assert.equal(await ask('delete', 'services', { name: 'x' }), '');
  assert.equal(await ask('list', 'pods', {}, { ...NODE, groups: ['system:authenticated'] }), '');
  assert.equal(
    await ask('list', 'services', {}, { ...NODE, name: 'system:node:' }),
    'unknown node for user "system:node:"',
  );
});
