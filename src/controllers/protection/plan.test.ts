import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import { isShutDown, usesClaim } from './plan.ts';

function podOn(nodeName: string | undefined, metadata: Pod['metadata'] = {}): Pod {
  const volumes = [{ name: 'www', persistentVolumeClaim: { claimName: 'www-web-0' } }];
  return {
    metadata: { name: 'web-0', ...metadata },
    spec: { containers: [], volumes, ...(nodeName ? { nodeName } : {}) },
  };
}

const deletionTimestamp = '2026-01-01T00:00:30Z';

test('a pod holds its claims from when it is on a node until its node is done with it', () => {
  assert.equal(usesClaim(podOn(undefined), 'www-web-0'), false);
  assert.equal(usesClaim(podOn('one'), 'www-web-0'), true);
  assert.equal(usesClaim(podOn('one'), 'www-web-1'), false);
  assert.equal(
    usesClaim(podOn('one', { deletionTimestamp, deletionGracePeriodSeconds: 30 }), 'www-web-0'),
    true,
  );
});

test('a pod that only finalizers hold lets go of its claims: one of them may wait for the claims', () => {
  const done = podOn('one', {
    deletionTimestamp,
    deletionGracePeriodSeconds: 0,
    finalizers: ['foregroundDeletion'],
  });
  assert.equal(isShutDown(done), true);
  assert.equal(usesClaim(done, 'www-web-0'), false);
});
