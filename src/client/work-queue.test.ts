import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { conflict } from '../api/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { runWorkers } from './run-workers.ts';
import { WorkQueue } from './work-queue.ts';

describe('work queue', () => {
  let clock: VirtualClock;
  let queue: WorkQueue;
  beforeEach(() => {
    clock = new VirtualClock(0);
    queue = new WorkQueue(clock);
  });

  it('hands out each waiting key once, in order', async () => {
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.equal(queue.length, 3);
    assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['a', 'b', 'c']);
  });

  it('brings a key again that was added while it was worked on, and not before', async () => {
    queue.add('a');
    await queue.next();
    queue.add('a');
    queue.add('a');
    assert.equal(queue.length, 0);
    queue.done('a');
    assert.equal(queue.length, 1);
    assert.equal(await queue.next(), 'a');
    queue.done('a');
    assert.equal(queue.length, 0);
  });

  it('gives a waiting worker the key directly', async () => {
    const next = queue.next();
    queue.add('a');
    queue.add('a');
    assert.equal(await next, 'a');
    assert.equal(queue.length, 0);
    queue.done('a');
    assert.equal(await queue.next(), 'a');
  });

  it('keeps the earliest of several delays', async () => {
    queue.addAfter('a', 1000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 2000);
    await clock.advance(299);
    assert.equal(queue.length, 0);
    await clock.advance(1);
    assert.equal(queue.length, 1);
    assert.equal(clock.pending, 0);
  });

  it('doubles the delay of failures up to five minutes, until forgotten', async () => {
    const delays: number[] = [];
    const fail = async (): Promise<void> => {
      const before = clock.now();
      queue.addRateLimited('a');
      await clock.runUntilIdle();
      delays.push(clock.now() - before);
      assert.equal(await queue.next(), 'a');
      queue.done('a');
    };
    for (let i = 0; i < 20; i++) await fail();
    assert.deepEqual(delays.slice(0, 5), [5, 10, 20, 40, 80]);
    assert.deepEqual(delays.slice(15, 18), [163_840, 300_000, 300_000]);
    assert.equal(queue.failures('a'), 20);
    queue.forget('a');
    await fail();
    assert.equal(delays.at(-1), 5);
  });

  it('ends waiting workers and timers when it is shut down', async () => {
    const next = queue.next();
    queue.addAfter('a', 1000);
    queue.shutDown();
    queue.add('b');
    assert.equal(await next, undefined);
    assert.equal(await queue.next(), undefined);
    assert.equal(clock.pending, 0);
  });
});

describe('workers', () => {
  let clock: VirtualClock;
  let queue: WorkQueue;
  let stop: AbortController;
  let errors: string[];
  let log: Log;
  beforeEach(() => {
    clock = new VirtualClock(0);
    queue = new WorkQueue(clock);
    stop = new AbortController();
    errors = [];
    log = { ...silentLog, error: (message, error) => void errors.push(`${message}: ${error}`) };
  });

  it('retries failures with back-off, conflicts without a word', async () => {
    const times: string[] = [];
    const running = runWorkers(
      queue,
      2,
      async (key) => {
        times.push(`${key}@${clock.now()}`);
        const tries = times.filter((time) => time.startsWith(key)).length;
        if (key === 'fails' && tries <= 4) throw new Error('no');
        if (key === 'conflicts' && tries <= 2) {
          throw conflict({ group: '', plural: 'notes', kind: 'Note' }, key, 'changed');
        }
      },
      log,
      stop.signal,
    );
    queue.add('fails');
    queue.add('conflicts');
    await clock.runUntilIdle();
    assert.deepEqual(
      times.filter((time) => time.startsWith('fails')),
      ['fails@0', 'fails@5', 'fails@15', 'fails@35', 'fails@75'],
    );
    assert.equal(times.filter((time) => time.startsWith('conflicts')).at(-1), 'conflicts@15');
    assert.equal(errors.length, 4);
    assert.equal(queue.failures('fails'), 0);
    stop.abort();
    await running;
  });

  it('comes again when asked to', async () => {
    let runs = 0;
    const running = runWorkers(
      queue,
      1,
      async () => {
        if (++runs < 4) return { requeueAfterMs: 10_000 };
      },
      log,
      stop.signal,
    );
    queue.add('a');
    await clock.runUntilIdle();
    assert.equal(runs, 4);
    assert.equal(clock.now(), 30_000);
    stop.abort();
    await running;
  });

  it('never works on one key twice at a time, and on no more keys than it may', async () => {
    const active = new Map<string, number>();
    let most = 0;
    const running = runWorkers(
      queue,
      3,
      async (key) => {
        active.set(key, (active.get(key) ?? 0) + 1);
        assert.equal(active.get(key), 1);
        most = Math.max(most, active.size);
        await new Promise<void>((resolve) => clock.after(10, resolve));
        active.delete(key);
      },
      log,
      stop.signal,
    );
    for (let i = 0; i < 40; i++) {
      queue.add(`k${i % 7}`);
      await clock.advance(3);
    }
    await clock.runUntilIdle();
    assert.equal(most, 3);
    assert.deepEqual(errors, []);
    stop.abort();
    await running;
  });

  it('waits for running reconciles when it is stopped', async () => {
    const events: string[] = [];
    const running = runWorkers(
      queue,
      2,
      async (key, signal) => {
        events.push(`${key} begins`);
        await new Promise<void>((resolve) => clock.after(100, resolve));
        events.push(`${key} ends, stopped: ${signal.aborted}`);
      },
      log,
      stop.signal,
    ).then(() => events.push('stopped'));
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await clock.settle();
    stop.abort();
    await clock.settle();
    assert.deepEqual(events, ['a begins', 'b begins']);
    await clock.advance(100);
    await running;
    assert.deepEqual(events.slice(2), ['a ends, stopped: true', 'b ends, stopped: true', 'stopped']);
    await runWorkers(queue, 1, async () => {}, log, stop.signal);
  });
});
