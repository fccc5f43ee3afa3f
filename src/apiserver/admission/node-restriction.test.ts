// What a node may write, as upstream's NodeRestriction says, through the whole pipeline.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ApiRequest } from '../request.ts';
import { pod, refusal, scheduled } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const user = { name: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] };

let server: TestServer;
let uid: string;
before(async () => {
  server = await startTestServer();
  const made = await server.object('create', 'nodes', {
    user,
    body: { metadata: { name: 'node-1', labels: { 'kubernetes.io/hostname': 'node-1', mine: 'x' } } },
  });
  uid = made.metadata.uid;
  await server.object('create', 'nodes', { body: { metadata: { name: 'node-2' } } });
  for (const name of ['web-0', 'web-1']) await scheduled(server, name);
  await server.object('create', 'pods', { body: pod('elsewhere', { nodeName: 'node-2' }) });
  await server.object('create', 'namespaces', { body: { metadata: { name: 'kube-node-lease' } } });
});

/** The refusal of a write by the node; undefined when it is done. */
async function refused(
  verb: ApiRequest['verb'],
  plural: string,
  parts: Partial<ApiRequest>,
): Promise<string | undefined> {
  let message: string | undefined;
  const done = server.handle(verb, plural, { user, ...parts }).catch(async (error: unknown) => {
    ({ message } = await refusal(Promise.reject(error)));
  });
  await done;
  return message;
}

const merge = (name: string, body: object, subresource?: string): Partial<ApiRequest> => ({
  name,
  patchType: 'merge',
  body,
  ...(subresource ? { subresource } : {}),
});

test('its own node, without taints and labels that steer, and without owners', async () => {
  assert.equal(
    await refused('patch', 'nodes', merge('node-2', { metadata: { labels: { a: 'b' } } })),
    'nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"',
  );
  assert.equal(
    await refused(
      'patch',
      'nodes',
      merge('node-1', {
        metadata: { labels: { zone: 'b', 'node.kubernetes.io/x': 'y', 'topology.kubernetes.io/zone': 'z' } },
      }),
    ),
    undefined,
  );
  assert.equal(
    await refused(
      'patch',
      'nodes',
      merge('node-1', {
        metadata: {
          labels: { 'node-role.kubernetes.io/control-plane': '', 'a.node-restriction.kubernetes.io/b': '' },
        },
      }),
    ),
    'nodes "node-1" is forbidden: is not allowed to modify labels: a.node-restriction.kubernetes.io/b, node-role.kubernetes.io/control-plane',
  );
  assert.equal(
    await refused(
      'patch',
      'nodes',
      merge('node-1', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
    ),
    'nodes "node-1" is forbidden: node "node-1" is not allowed to modify taints',
  );
  const owner = { apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'u' };
  for (const subresource of [undefined, 'status']) {
    assert.equal(
      await refused(
        'patch',
        'nodes',
        merge('node-1', { metadata: { ownerReferences: [owner] } }, subresource),
      ),
      'nodes "node-1" is forbidden: node "node-1" is not allowed to modify ownerReferences',
    );
  }
  assert.equal(
    await refused('patch', 'nodes', merge('node-1', { status: { phase: 'Running' } }, 'status')),
    undefined,
  );
  assert.equal(
    await refused('create', 'nodes', {
      body: { metadata: { name: 'node-1', labels: { 'x.k8s.io/y': '1' } } },
    }),
    'nodes "node-1" is forbidden: node "node-1" is not allowed to set the following labels: x.k8s.io/y',
  );
});

test('pods: the status and the end of its own, mirrors of static ones', async () => {
  assert.equal(
    await refused('patch', 'pods', merge('web-0', { status: { phase: 'Running' } }, 'status')),
    undefined,
  );
  assert.equal(
    await refused('patch', 'pods', merge('elsewhere', { status: { phase: 'Running' } }, 'status')),
    'pods "elsewhere" is forbidden: node "node-1" can only update pod status for pods with spec.nodeName set to itself',
  );
  assert.equal(
    await refused('patch', 'pods', merge('web-0', { metadata: { labels: { a: 'b' } } }, 'status')),
    'pods "web-0" is forbidden: node "node-1" cannot update labels through pod status',
  );
  assert.equal(
    await refused('patch', 'pods', merge('web-0', { metadata: { labels: { a: 'b' } } })),
    'pods "web-0" is forbidden: unexpected operation "UPDATE", node "node-1" can only create and delete mirror pods',
  );
  assert.equal(
    await refused('delete', 'pods', { name: 'elsewhere' }),
    'pods "elsewhere" is forbidden: node "node-1" can only delete pods with spec.nodeName set to itself',
  );
  const eviction = (name: string) => ({ name, subresource: 'eviction', body: { metadata: { name } } });
  assert.equal(
    await refused('create', 'pods', eviction('elsewhere')),
    'pods "elsewhere" is forbidden: node node-1 can only evict pods with spec.nodeName set to itself',
  );
  assert.equal(await refused('create', 'pods', eviction('web-1')), undefined);
  assert.equal(
    await refused('delete', 'pods', { name: 'web-0', deleteOptions: { gracePeriodSeconds: 0 } }),
    undefined,
  );
  const created = (metadata: object, spec: object = {}) =>
    refused('create', 'pods', {
      body: {
        metadata: { name: 'm', ...metadata },
        spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
      },
    });
  assert.equal(
    await created({}),
    'pods "m" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "node-1" can only create mirror pods',
  );
  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid, controller: true };
  const own = { nodeName: 'node-1' };
  assert.match((await created(mirror)) ?? '', /can only create pods with spec\.nodeName set to itself$/);
  assert.match((await created(mirror, own)) ?? '', /with an owner reference set to itself$/);
  const wrong = { ...mirror, ownerReferences: [{ ...owner, uid: 'other' }] };
  assert.match((await created(wrong, own)) ?? '', /node node-1 UID mismatch: expected other got /);
  const good = { ...mirror, ownerReferences: [owner] };
  const withSecret = { ...own, volumes: [{ name: 's', secret: { secretName: 's' } }] };
  assert.match((await created(good, withSecret)) ?? '', /can not create pods that reference secrets$/);
  const volumes = {
    'serviceaccounts (via projected volumes)': {
      projected: { sources: [{ serviceAccountToken: { path: 't' } }] },
    },
    'csidrivers (via CSI volumes)': { csi: { driver: 'd.example' } },
    persistentvolumeclaims: { persistentVolumeClaim: { claimName: 'c' } },
  };
  for (const [what, volume] of Object.entries(volumes)) {
    const why = (await created(good, { ...own, volumes: [{ name: 'v', ...volume }] })) ?? '';
    assert.ok(why.endsWith(`node "node-1" can not create pods that reference ${what}`), why);
  }
  const withAccount = { ...own, serviceAccountName: 'default' };
  assert.match(
    (await created(good, withAccount)) ?? '',
    /can not create pods that reference serviceaccounts$/,
  );
  assert.equal(await created(good, own), undefined);
});

test('leases and tokens: its own, and of its pods', async () => {
  const resource = server.resource('leases');
  const lease = (name: string, namespace = 'kube-node-lease') =>
    refused('create', 'leases', { resource, namespace, body: { metadata: { name }, spec: {} } });
  assert.equal(await lease('node-1'), undefined);
  assert.match(
    (await lease('node-2')) ?? '',
    /can only access node lease with the same name as the requesting node$/,
  );
  assert.match(
    (await lease('node-1', 'default')) ?? '',
    /can only access leases in the "kube-node-lease" system namespace$/,
  );
  const projection = (audience?: string) => ({ serviceAccountToken: { path: audience ?? 'api', audience } });
  const sources = [projection(), projection('vault')];
  await scheduled(server, 'web-2', { volumes: [{ name: 'tokens', projected: { sources } }] });
  const here = await server.object('get', 'pods', { name: 'web-2' });
  const there = await server.object('get', 'pods', { name: 'elsewhere' });
  const token = (boundObjectRef?: object, ...audiences: string[]) =>
    refused('create', 'serviceaccounts', {
      name: 'default',
      subresource: 'token',
      body: { spec: { audiences, boundObjectRef } },
    });
  const ref = { apiVersion: 'v1', kind: 'Pod', name: 'web-2', uid: here.metadata.uid };
  assert.match((await token()) ?? '', /: node requested token not bound to a pod$/);
  assert.match((await token({ ...ref, uid: undefined })) ?? '', /with a pod binding without a uid$/);
  assert.match((await token({ ...ref, uid: 'x' })) ?? '', /does not match the UID in record/);
  assert.match(
    (await token({ ...ref, name: 'elsewhere', uid: there.metadata.uid })) ?? '',
    /scheduled on a different node$/,
  );
  assert.equal(await token(ref), undefined);

  assert.equal(await token(ref, 'vault'), undefined);
  assert.match(
    (await token(ref, 'bank')) ?? '',
    /: audience "bank" not found in pod spec volume, system:node:node-1 is not authorized to request tokens for this audience$/,
  );
  assert.match((await token(ref, '', 'vault')) ?? '', /: node may only request 0 or 1 audiences$/);
});

test('volumes: it lets go of its own, and changes nothing else of them', async () => {
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] };
  await server.object('create', 'persistentvolumes', {
    body: {
      metadata: {
        name: 'mine',
        finalizers: ['stead.dev/local-volume'],
        annotations: { 'pv.kubernetes.io/provisioned-by': 'stead.dev/local' },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        local: { path: '/volumes/mine' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
        persistentVolumeReclaimPolicy: 'Delete',
      },
    },
  });
  const change = (body: object) => refused('patch', 'persistentvolumes', merge('mine', body));
  assert.match(
    (await change({ spec: { persistentVolumeReclaimPolicy: 'Retain' } })) ?? '',
    /is not allowed to update fields other than metadata.finalizers$/,
  );
  assert.equal(await change({ metadata: { finalizers: [] } }), undefined);
});
