import assert from 'node:assert/strict';
import test from 'node:test';
import { shortened } from './image-volumes.ts';

test('the options of an image of many layers fit one page', () => {
  const base = '/a/long/way/to/snapshots';
  const lower = Array.from({ length: 3 }, (_, layer) => `${base}/${layer}/fs`).join(':');
  assert.deepEqual(shortened(['index=off', `lowerdir=${lower}`]), {
    directory: base,
    options: ['index=off', 'lowerdir=0/fs:1/fs:2/fs'],
  });
  assert.deepEqual(shortened(['ro']), { directory: '/', options: ['ro'] });
});
