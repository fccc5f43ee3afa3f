// The controller's own writes: when the cache shows them, and what is believed when it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../api/generated/types.ts';
import { nameOf, type Stored } from '../api/objects.ts';
import { OwnWrites } from './own-writes.ts';

const SET = nameOf({ namespace: 'default', name: 'web' });

function podOf(uid: string, version: number, more: Partial<Stored<Pod>['metadata']> = {}): Stored<Pod> {
  const metadata = { name: 'web-0', namespace: 'default', uid, resourceVersion: String(version) };
  return {
    metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z', ...more },
    spec: { containers: [] },
  };
}

const going = { deletionTimestamp: '2026-01-01T00:00:30Z' };

/** Own writes after one of them, and a way to ask what of it a cache with this pod does not show. */
function after(...write: [type: 'created' | 'deleted' | 'updated' | 'unknown', pod: Pod]) {
  const writes = new OwnWrites();
  writes.note(SET, ...write, 1000);
  return { writes, unseen: (cached?: Stored<Pod>) => writes.unseen(SET, () => cached) };
}

test('a creation is seen when its pod is, and only the API can say whether it ever will be', () => {
  const { unseen } = after('created', podOf('a', 5));
  assert.deepEqual(unseen(), { ask: ['web-0'], oldestMs: 1000 });
  assert.equal(unseen(podOf('a', 5)), undefined);
});

test('a created pod that is gone again is not waited for', () => {
  const { unseen, writes } = after('created', podOf('a', 5));
  writes.settle(SET, 'web-0', podOf('a', 6), undefined);
  assert.ok(unseen());
  writes.settle(SET, 'web-0', undefined, undefined);
  assert.equal(unseen(), undefined);
});

test('a cache that still shows a deleted pod as it was is behind, even if the API says that it is gone', () => {
  const { unseen, writes } = after('deleted', podOf('a', 5));
  assert.deepEqual(unseen(podOf('a', 5)), { ask: [], oldestMs: 1000 });
  writes.settle(SET, 'web-0', undefined, podOf('a', 5));
  assert.ok(unseen(podOf('a', 5)));
  assert.equal(unseen(podOf('a', 6, going)), undefined);
});

test('a lost answer: what the API has, the cache has to show before anything else is decided', () => {
  const created = after('unknown', podOf('', 0));
  assert.deepEqual(created.unseen(), { ask: ['web-0'], oldestMs: 0 });
  created.writes.settle(SET, 'web-0', podOf('a', 5), undefined);
  assert.ok(created.unseen());
  assert.equal(created.unseen(podOf('a', 5)), undefined);

  const deleted = after('unknown', podOf('a', 5));
  deleted.writes.settle(SET, 'web-0', podOf('a', 7, going), podOf('a', 5));
  assert.ok(deleted.unseen(podOf('a', 5)));
  assert.equal(deleted.unseen(podOf('a', 7, going)), undefined);

  const gone = after('unknown', podOf('a', 5));
  gone.writes.settle(SET, 'web-0', undefined, podOf('a', 5));
  assert.ok(gone.unseen(podOf('a', 5)));
  assert.equal(gone.unseen(), undefined);
});

test('a lost answer to what was never done is forgotten', () => {
  const { unseen, writes } = after('unknown', podOf('', 0));
  writes.settle(SET, 'web-0', undefined, undefined);
  assert.equal(unseen(), undefined);
  const kept = after('unknown', podOf('a', 5));
  kept.writes.settle(SET, 'web-0', podOf('a', 5), podOf('a', 5));
  assert.equal(kept.unseen(podOf('a', 5)), undefined);
});

test('a pod that was seen to go ends the waiting', () => {
  const { unseen, writes } = after('updated', podOf('a', 9));
  assert.ok(unseen(podOf('a', 5)));
  writes.gone(SET, podOf('a', 9));
  assert.equal(unseen(podOf('a', 5)), undefined);
});
