import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slowStart } from './slow-start.ts';

test('batches grow by doubling up to 500, and all items are done once', async () => {
  let running = 0;
  const widths: number[] = [];
  const done: number[] = [];
  await slowStart([...Array(2000).keys()], async (item) => {
    running++;
    await Promise.resolve();
    widths.push(running);
    done.push(item);
    await Promise.resolve();
    running--;
  });
  assert.deepEqual(
    done.toSorted((a, b) => a - b),
    [...Array(2000).keys()],
  );
  assert.equal(Math.max(...widths), 500);
  assert.equal(widths[0], 1);
});

test('no batch begins after a failure, the batch itself is finished', async () => {
  const begun: number[] = [];
  const failing = slowStart([0, 1, 2, 3, 4, 5, 6], async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('refused');
  });
  await assert.rejects(failing, /refused/);
  assert.deepEqual(begun, [0, 1, 2]);
});
