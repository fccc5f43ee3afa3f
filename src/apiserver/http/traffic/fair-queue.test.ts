import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../base/clock.ts';
import { deadlineOf } from './deadline.ts';
import { dealHand, FairQueue } from './fair-queue.ts';

function manualClock(): Clock & { advance(ms: number): void } {
  let now = 0;
  const timers = new Set<{ at: number; action: () => void }>();
  return {
    now: () => now,
    after(delayMs, action) {
      const timer = { at: now + delayMs, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      now += ms;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.action();
      }
    },
  };
}

const LIMITS = { seats: 4, queues: 64, handSize: 4, queueLength: 25, maxWaitMs: 1000 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a flow that asks for much does not keep another waiting', async () => {
  const queue = new FairQueue(LIMITS, manualClock());
  const order: string[] = [];
  const leaves: (() => void)[] = [];
  const ask = (flow: string): void => {
    queue.enter(flow).then(
      (leave) => {
        order.push(flow);
        leaves.push(leave);
      },
      () => undefined,
    );
  };
  for (let index = 0; index < 100; index++) ask('greedy');
  ask('modest');
  await turn();
  assert.deepEqual([queue.load.serving, queue.load.waiting], [4, 97]);
  leaves.shift()?.();
  await turn();
  assert.equal(order.at(-1), 'modest');
  while (leaves.length > 0) {
    leaves.shift()?.();
    await turn();
  }
  assert.equal(order.length, 101);
  assert.deepEqual([queue.load.serving, queue.load.waiting], [0, 0]);
});

test('full queues and long waits are refused with a time to come again', async () => {
  const clock = manualClock();
  const queue = new FairQueue({ ...LIMITS, seats: 1 }, clock);
  const leave = await queue.enter('a');
  const waiting = Array.from({ length: 100 }, () => queue.enter('a').then(() => 'served'));
  await assert.rejects(queue.enter('a'), { code: 429 });
  const settled = Promise.allSettled(waiting);
  clock.advance(1000);
  assert.ok((await settled).every(({ status }) => status === 'rejected'));
  leave();
  assert.deepEqual([queue.load.serving, queue.load.waiting], [0, 0]);
  (await queue.enter('a'))();
});

test('a hand is the same for a flow, and differs between flows', () => {
  assert.deepEqual(dealHand('a', 128, 6), dealHand('a', 128, 6));
  assert.equal(new Set(dealHand('a', 128, 6)).size, 6);
  assert.notDeepEqual(dealHand('a', 128, 6), dealHand('b', 128, 6));
  assert.equal(dealHand('a', 3, 6).length, 3);
});

test('the timeout of a request is a Go duration, up to a minute', () => {
  const deadline = (timeout: string): number => deadlineOf(new URLSearchParams({ timeout }));
  assert.equal(deadline(''), 60_000);
  assert.equal(deadline('1.5s'), 1_500);
  assert.equal(deadline('32s200ms'), 32_200);
  assert.equal(deadline('2h'), 60_000);
  for (const bad of ['5', 's', '-1s', '1x', '1s1']) assert.throws(() => deadline(bad), { code: 400 });
});
