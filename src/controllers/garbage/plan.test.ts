import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';
import { type OwnerState, planDeleting, planDependent } from './plan.ts';

const object = (owners: string[], finalizers: string[] = [], deletionTimestamp?: string): Stored => ({
  metadata: present({
    name: 'web-0',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
    finalizers,
    deletionTimestamp,
    ownerReferences: owners.map((uid) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid })),
  }),
});

const states = (map: Record<string, OwnerState>): Map<string, OwnerState> => new Map(Object.entries(map));

describe('planDependent', () => {
  it('deletes when no owner is left, and only then', () => {
    const plan = (map: Record<string, OwnerState>) =>
      planDependent(object(Object.keys(map)), states(map), false);
    assert.deepEqual(plan({ a: 'absent' }), { type: 'delete', propagationPolicy: 'Background' });
    assert.deepEqual(plan({ a: 'absent', b: 'absent' }), { type: 'delete', propagationPolicy: 'Background' });
    assert.deepEqual(plan({ a: 'present' }), { type: 'keep' });
    assert.deepEqual(plan({ a: 'unknown' }), { type: 'keep' });
    assert.deepEqual(plan({ a: 'absent', b: 'unknown' }), { type: 'dropReferences', uids: ['a'] });
    assert.deepEqual(plan({ a: 'absent', b: 'present' }), { type: 'dropReferences', uids: ['a'] });
    assert.deepEqual(plan({ a: 'deletingForeground', b: 'present' }), {
      type: 'dropReferences',
      uids: ['a'],
    });
    assert.deepEqual(planDependent(object([]), states({}), false), { type: 'keep' });
  });

  it('passes a foreground deletion on to what has dependents itself', () => {
    const leaving = states({ a: 'deletingForeground' });
    assert.deepEqual(planDependent(object(['a']), leaving, true), {
      type: 'delete',
      propagationPolicy: 'Foreground',
    });
    assert.deepEqual(planDependent(object(['a']), leaving, false), {
      type: 'delete',
      propagationPolicy: 'Background',
    });
  });

  it('leaves alone what is being deleted', () => {
    const going = object(['a'], [], '2026-01-01T00:00:00Z');
    assert.deepEqual(planDependent(going, states({ a: 'absent' }), false), { type: 'keep' });
  });

  it('keeps to the finalizers that the object has', () => {
    const plan = (finalizer: string) =>
      planDependent(object(['a'], [finalizer]), states({ a: 'absent' }), false);
    assert.deepEqual(plan('orphan'), { type: 'delete', propagationPolicy: 'Orphan' });
    assert.deepEqual(plan('foregroundDeletion'), { type: 'delete', propagationPolicy: 'Foreground' });
  });
});

describe('planDeleting', () => {
  const going = (finalizer: string) => object([], [finalizer], '2026-01-01T00:00:00Z');
  const dependent = (blockOwnerDeletion: boolean) => ({
    metadata: {
      name: 'd',
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'web-0', uid: 'u', blockOwnerDeletion }],
    },
  });

  it('waits in the foreground for those that block, and only for them', () => {
    assert.deepEqual(planDeleting(going('foregroundDeletion'), [dependent(true)]), {
      type: 'deleteDependents',
    });
    const finish = { type: 'finish', finalizer: 'foregroundDeletion' };
    assert.deepEqual(planDeleting(going('foregroundDeletion'), [dependent(false)]), finish);
    assert.deepEqual(planDeleting(going('foregroundDeletion'), []), finish);
  });

  it('lets dependents go before it goes itself', () => {
    assert.deepEqual(planDeleting(going('orphan'), [dependent(false)]), { type: 'orphanDependents' });
    assert.deepEqual(planDeleting(going('orphan'), []), { type: 'finish', finalizer: 'orphan' });
  });

  it('is not concerned with others', () => {
    assert.deepEqual(planDeleting(going('example.com/x'), [dependent(true)]), { type: 'nothing' });
    assert.deepEqual(planDeleting(object([], ['orphan']), []), { type: 'nothing' });
  });
});
