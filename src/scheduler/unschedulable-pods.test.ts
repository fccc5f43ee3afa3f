import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../api/objects.ts';
import { WorkQueue } from '../client/work-queue.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { UnschedulablePods } from './unschedulable-pods.ts';

const POD = nameOf({ namespace: 'default', name: 'a' });

/** What was taken from the queue within a time, in ms, in order. */
async function tried(clock: VirtualClock, queue: WorkQueue, ms: number): Promise<string[]> {
  await clock.advance(ms);
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = await queue.next();
    if (key === undefined) break;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test('a change brings a pod back at once when nothing else waits, and after its back-off when something does', async () => {
  const clock = new VirtualClock(0);
  const queue = new WorkQueue(clock);
  const pods = new UnschedulablePods(clock, queue);
  for (let attempt = 0; attempt < 4; attempt++) pods.add(POD, false);
  pods.retryAll();
  assert.deepEqual(await tried(clock, queue, 50), ['default/a']);

  queue.add('default/other');
  pods.retryAll();
  assert.deepEqual(await tried(clock, queue, 50), ['default/other']);
  assert.deepEqual(await tried(clock, queue, 7_000), []);
  assert.deepEqual(await tried(clock, queue, 1_000), ['default/a']);
  pods.stop();
});

test('a pod that waits for its claims alone is not tried because a node has changed', async () => {
  const clock = new VirtualClock(0);
  const queue = new WorkQueue(clock);
  const pods = new UnschedulablePods(clock, queue);
  pods.add(POD, true);
  pods.retryAll();
  assert.deepEqual(await tried(clock, queue, 60_000), []);
  pods.stop();
});
