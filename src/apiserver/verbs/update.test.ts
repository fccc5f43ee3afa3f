// PUT of what is not there, and of what must name its version, per kind; what a deletion is answered with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { openFrontDoor } from '../http/test-front-door.ts';
import { configMap } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

const names = (has: (resource: (typeof allResources)[number]) => boolean | undefined): string[] =>
  allResources
    .filter(has)
    .map(({ group, plural }) => `${plural}${group ? `.${group}` : ''}`)
    .sort();

test('the kinds are those of upstream strategies', () => {
  assert.deepEqual(
    names(({ createsOnUpdate }) => createsOnUpdate),
    [
      'clusterrolebindings.rbac.authorization.k8s.io',
      'clusterroles.rbac.authorization.k8s.io',
      'endpoints',
      'events',
      'events.events.k8s.io',
      'leases.coordination.k8s.io',
      'limitranges',
      'rolebindings.rbac.authorization.k8s.io',
      'roles.rbac.authorization.k8s.io',
      'services',
    ],
  );
  assert.deepEqual(
    names(({ needsVersionToUpdate }) => needsVersionToUpdate),
    [
      'csinodes.storage.k8s.io',
      'leases.coordination.k8s.io',
      'poddisruptionbudgets.policy',
      'volumeattachments.storage.k8s.io',
    ],
  );
  assert.deepEqual(
    names(({ returnsDeleted }) => returnsDeleted),
    [
      'csinodes.storage.k8s.io',
      'namespaces',
      'persistentvolumeclaims',
      'persistentvolumes',
      'pods',
      'podtemplates',
      'resourcequotas',
      'serviceaccounts',
      'services',
      'storageclasses.storage.k8s.io',
      'volumeattachments.storage.k8s.io',
    ],
  );
});

test('PUT makes some kinds, for who may create them; others are not found', async () => {
  const door = await openFrontDoor();
  const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  const lease = { metadata: { name: 'a', resourceVersion: '12' }, spec: { holderIdentity: 'me' } };
  const role = {
    metadata: { name: 'updater', namespace: 'default' },
    rules: [{ apiGroups: ['*'], resources: ['leases', 'configmaps'], verbs: ['update', 'patch', 'get'] }],
  };
  await door.ask('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', { body: role });
  await door.ask('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    body: {
      metadata: { name: 'updater' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'updater' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }],
    },
  });
  const eve = { CN: 'eve', O: 'people' };
  const refused = await door.ask('PUT', `${LEASES}/a`, { body: lease, as: eve });
  assert.deepEqual(
    [refused.code, refused.json().message],
    [
      403,
      'leases.coordination.k8s.io "a" is forbidden: User "eve" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"',
    ],
  );
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } };
  const applied = await door.ask('PATCH', '/api/v1/namespaces/default/configmaps/m?fieldManager=x', {
    headers: apply,
    body: map,
    as: eve,
  });
  assert.deepEqual(
    [applied.code, /cannot create resource "configmaps"/.test(applied.json().message ?? '')],
    [403, true],
  );

  const made = await door.ask('PUT', `${LEASES}/a`, { body: lease });
  const { metadata } = made.json<KubeObject>();
  assert.deepEqual([made.code, metadata.name, metadata.managedFields?.[0]?.operation], [201, 'a', 'Update']);
  assert.equal((await door.ask('PUT', `${LEASES}/a`, { body: made.json(), as: eve })).code, 200);
  const unversioned = await door.ask('PUT', `${LEASES}/a`, { body: { metadata: { name: 'a' }, spec: {} } });
  assert.deepEqual(
    [unversioned.code, unversioned.json().message],
    [
      422,
      'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ],
  );
  const wrong = await door.ask('PUT', `${LEASES}/b`, { body: lease });
  assert.equal(wrong.json().message, 'the name of the object (a) does not match the name on the URL (b)');
  const other = await door.ask('PUT', '/api/v1/namespaces/default/configmaps/none', {
    body: { metadata: { name: 'none' } },
  });
  assert.equal(other.code, 404);
  const deleted = await door.ask('DELETE', `${LEASES}/a`);
  assert.deepEqual(deleted.json().kind, 'Status');
});

test('those who write without a version all write, one after the other', async () => {
  const server = await startTestServer();
  await server.object('create', 'configmaps', { body: configMap('a') });
  const values = Array.from({ length: 20 }, (_, index) => `${index}`);
  const written = await Promise.all(
    values.map((value) =>
      server.object('update', 'configmaps', { name: 'a', body: configMap('a', { value }) }),
    ),
  );
  assert.equal(new Set(written.map(({ metadata }) => metadata.resourceVersion)).size, values.length);
});
