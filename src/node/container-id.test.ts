import assert from 'node:assert/strict';
import { it } from 'node:test';
import { containerIdOf, idWithin } from './container-id.ts';

it('a container is named by its runtime, and found again whichever runtime that was', () => {
  assert.equal(containerIdOf('containerd', 'abc'), 'containerd://abc');
  for (const runtime of ['containerd', 'simulated', 'cri-o']) {
    assert.equal(idWithin(containerIdOf(runtime, 'a://b')), 'a://b');
  }
});
