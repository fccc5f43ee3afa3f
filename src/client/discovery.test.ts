import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesOf } from './discovery.ts';

test('kinds are read as another API says them, verbs that nobody knows and all', () => {
  const boats = {
    resource: 'boats',
    responseKind: { group: '', version: '', kind: 'Boat' },
    scope: 'Cluster',
    singularResource: 'boat',
    verbs: ['get', 'sail'],
    subresources: [{ subresource: 'status', verbs: ['get'] }],
  };
  const group = { metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources: [boats] }] };
  const stale = { metadata: { name: 'away.example.com' }, versions: [{ version: 'v1', freshness: 'Stale' }] };
  const [found, ...more] = resourcesOf({ kind: 'APIGroupDiscoveryList', items: [group, stale] });
  assert.deepEqual(
    [found?.group, found?.version, found?.kind, found?.namespaced, found?.hasStatus, found?.verbs, more],
    ['example.com', 'v1', 'Boat', false, true, ['get'], []],
  );
});

test('an API that is too old to say so at once is refused in words', () => {
  const old = { kind: 'APIVersions', versions: ['v1'] };
  assert.throws(() => resourcesOf(old), /must be of Kubernetes 1\.30 or newer/);
});
