import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import { memoryVolumeBytes } from './empty-dir.ts';

it('an emptyDir in memory is as large as the least of its own limit, the limit of its pod and the machine', () => {
  const pod = (...limits: Array<string | undefined>): Pod => ({
    metadata: { name: 'p' },
    spec: {
      containers: limits.map((memory, index) => ({
        name: `c${index}`,
        image: 'i',
        ...(memory ? { resources: { limits: { memory } } } : {}),
      })),
    },
  });
  const source = (sizeLimit?: string) => ({ medium: 'Memory', ...(sizeLimit ? { sizeLimit } : {}) });
  assert.equal(memoryVolumeBytes(pod(undefined), source(), 5000), 5000);
  assert.equal(memoryVolumeBytes(pod('1k', '2k'), source(), 5000), 3000);
  assert.equal(memoryVolumeBytes(pod('1k', '2k'), source('500'), 5000), 500);
  assert.equal(memoryVolumeBytes(pod(undefined), source('1Mi'), 5000), 5000);
  assert.equal(memoryVolumeBytes(pod('1k'), source('0'), 5000), 1000);
});
