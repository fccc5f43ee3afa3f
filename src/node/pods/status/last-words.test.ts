import assert from 'node:assert/strict';
import test from 'node:test';
import { withinShare } from './last-words.ts';

function podOf(containers: number): { metadata: object; spec: { containers: Array<{ name: string }> } } {
  const names = Array.from({ length: containers }, (_, index) => ({ name: `c${index}` }));
  return { metadata: {}, spec: { containers: names } };
}

test('the last words of a pod are at most 12 KiB, the same for each container', () => {
  assert.equal(withinShare(podOf(3), 'x'.repeat(4096)).length, 4096);
  assert.equal(withinShare(podOf(4), 'x'.repeat(4096)).length, 3072);
  assert.equal(withinShare(podOf(48), 'ab'.repeat(200)), 'ab'.repeat(128));
  assert.equal(Buffer.byteLength(withinShare(podOf(12), 'ü'.repeat(1000))), 1024);
  assert.equal(withinShare(podOf(1), 'short'), 'short');
});
