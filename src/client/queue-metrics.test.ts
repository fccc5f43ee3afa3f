// What a queue tells of itself, read as Prometheus reads it, with time in the test's hands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../base/metrics.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { QueueMetrics } from './queue-metrics.ts';
import { WorkQueue } from './work-queue.ts';

async function read(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [name = '', value] = line.split(' ');
      return [name.replace('workqueue_', '').replace('{name="statefulset"}', ''), Number(value)];
    }),
  );
}

test('adds, depth, waiting, work under way and retries of a queue', async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics();
  const queue = new WorkQueue(clock, new QueueMetrics(metrics, clock).named('statefulset'));
  queue.add('default/web');
  queue.add('default/web');
  queue.add('default/db');
  let now = await read(metrics);
  assert.equal(now.get('adds_total'), 2, 'what waits already is not added');
  assert.equal(now.get('depth'), 2);

  await clock.advance(2000);
  assert.equal(await queue.next(), 'default/web');
  await clock.advance(500);
  assert.equal(await queue.next(), 'default/db');
  await clock.advance(1500);
  now = await read(metrics);
  assert.equal(now.get('depth'), 0);
  assert.equal(now.get('queue_duration_seconds_sum'), 4.5);
  assert.equal(now.get('unfinished_work_seconds'), 3.5);
  assert.equal(now.get('longest_running_processor_seconds'), 2);
  assert.equal(now.get('work_duration_seconds_count'), 0);

  queue.add('default/web');
  queue.addRateLimited('default/db');
  queue.done('default/web');
  queue.done('default/db');
  await clock.advance(10);
  now = await read(metrics);
  assert.equal(now.get('adds_total'), 4);
  assert.equal(now.get('retries_total'), 1);
  assert.equal(now.get('depth'), 2);
  assert.equal(now.get('unfinished_work_seconds'), 0);
  assert.equal(now.get('work_duration_seconds_count'), 2);
  assert.equal(now.get('work_duration_seconds_sum'), 3.5);
  assert.equal(now.get('work_duration_seconds_bucket{name="statefulset",le="1"}'), 0);
  assert.equal(now.get('work_duration_seconds_bucket{name="statefulset",le="10"}'), 2);
  queue.shutDown();
});

test('a queue made anew goes on with the counts, and with nothing under way', async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics();
  const all = new QueueMetrics(metrics, clock);
  const first = new WorkQueue(clock, all.named('statefulset'));
  first.add('default/web');
  await first.next();
  first.shutDown();
  const second = new WorkQueue(clock, all.named('statefulset'));
  second.add('default/web');
  const now = await read(metrics);
  assert.equal(now.get('adds_total'), 2);
  assert.equal(now.get('depth'), 1);
  assert.equal(now.get('unfinished_work_seconds'), 0);
  second.shutDown();
});
