import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { keepRunning } from './keep-running.ts';

it('what has ended by a failure begins again, later each time, until the signal', async () => {
  const clock = new VirtualClock(0);
  const begunAt: number[] = [];
  const end = new AbortController();
  const context = { clock, log: silentLog, signal: end.signal };
  const running = keepRunning(
    async () => {
      begunAt.push(clock.now() / 1000);
      throw new Error('no');
    },
    'test',
    context,
  );
  await clock.advance(8000);
  assert.deepEqual(begunAt, [0, 1, 3, 7]);
  end.abort();
  await running;
});
