import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolumeClaim } from '../generated/types.ts';
import { whyNotBound, whyNotExpanded } from './claim.ts';

function claimWith(status: PersistentVolumeClaim['status']): PersistentVolumeClaim {
  const claim: PersistentVolumeClaim = { metadata: { name: 'www-web-0' }, spec: {} };
  return status ? { ...claim, status } : claim;
}

test('a bound claim has no reason, one without a class or a volume has', () => {
  assert.equal(whyNotBound(claimWith({ phase: 'Bound' })), undefined);
  assert.equal(whyNotBound(claimWith({ phase: 'Pending' }))?.reason, 'ClaimPending');
  assert.equal(whyNotBound(claimWith({ phase: 'Lost' }))?.reason, 'ClaimLost');
});

test('a claim that grows says how far it is; what has failed comes first', () => {
  const said = (...types: string[]): string => {
    const conditions = types.map((type) => ({ type, status: 'True', message: `message of ${type}` }));
    const { reason, message, passing } = whyNotExpanded(claimWith({ phase: 'Bound', conditions }));
    return `${reason}: ${message}${passing ? '' : ' (stays)'}`;
  };
  assert.equal(said(), 'ClaimExpanding: its volume is asked to grow');
  assert.equal(said('Resizing'), 'Resizing: its volume is being made larger');
  assert.equal(
    said('FileSystemResizePending'),
    'FileSystemResizePending: the node of its volume has yet to make the file system larger',
  );
  assert.equal(
    said('FileSystemResizePending', 'NodeResizeError'),
    'NodeResizeError: message of NodeResizeError (stays)',
  );
});
