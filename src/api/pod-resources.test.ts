// What a pod holds of its node while it is resized.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from './generated/types.ts';
import { podRequestsHeld } from './pod-resources.ts';

/** Thousandths of a core that a pod holds which requests `wanted`, and was given and has the others. */
function heldMillicores(wanted: string, given?: string, has?: string, reason?: string): bigint {
  const status = {
    name: 'web',
    image: 'a',
    imageID: 'a',
    ready: true,
    restartCount: 0,
    ...(given && { allocatedResources: { cpu: given } }),
    ...(has && { resources: { requests: { cpu: has } } }),
  };
  const pod: Pod = {
    metadata: { name: 'web-0' },
    spec: { containers: [{ name: 'web', resources: { requests: { cpu: wanted } } }] },
    status: {
      ...(given || has ? { containerStatuses: [status] } : {}),
      ...(reason ? { conditions: [{ type: 'PodResizePending', status: 'True', reason }] } : {}),
    },
  };
  return (podRequestsHeld(pod).get('cpu') ?? 0n) / 1_000_000n;
}

test('a pod holds what it requests, and while it is resized the most of before and after', () => {
  assert.equal(heldMillicores('100m'), 100n);
  assert.equal(heldMillicores('100m', '100m', '100m'), 100n);
  assert.equal(heldMillicores('50m', '100m', '100m'), 100n, 'less is asked for, and not given yet');
  assert.equal(heldMillicores('50m', '50m', '100m'), 100n, 'less is given, and more still there');
  assert.equal(heldMillicores('200m', '100m', '100m', 'Deferred'), 200n, 'room is kept for what waits');
});

test('a pod that asks for what its node can never give holds what it has', () => {
  assert.equal(heldMillicores('900', '100m', '100m', 'Infeasible'), 100n);
});
