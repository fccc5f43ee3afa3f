import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../base/log.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { withoutRepeats } from './log-repeats.ts';
import { logTo } from './log-writer.ts';

const MINUTE_MS = 60_000;

function quiet(): { clock: VirtualClock; log: Log & { close(): void }; lines: string[] } {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const inner = logTo(
    (line) => lines.push(line),
    'info',
    () => clock.now(),
  );
  return { clock, lines, log: withoutRepeats(inner, clock) };
}

test('an error that repeats is said once, then counted, ever more seldom', async () => {
  const { clock, lines, log } = quiet();
  const room = log.named('namespace');
  for (let second = 0; second < 3600; second++) {
    room.error('cannot delete', new Error('forbidden'), { key: `pod-${second}` });
    await clock.advance(1000);
  }
  assert.match(lines[0] ?? '', /ERROR namespace: cannot delete: Error: forbidden\n[\s\S]* key=pod-0\n$/);
  const again =
    /ERROR namespace: cannot delete \(repeated \d+ times in 60 s; the last of them\): forbidden key=pod-\d+\n$/;
  assert.match(lines[1] ?? '', again);
  assert.ok(lines.length < 10, `${lines.length} lines`);
  const counted = lines.slice(1).map((line) => Number(/repeated (\d+)/.exec(line)?.[1]));
  log.close();
  const last = Number(/repeated (\d+)/.exec(lines.at(-1) ?? '')?.[1]);
  assert.equal(1 + counted.reduce((sum, count) => sum + count, 0) + last, 3600);
});

test('what differs is said, and so is what comes again after a rest', async () => {
  const { clock, lines, log } = quiet();
  log.error('failed', new Error('one'));
  log.error('failed', new Error('two'));
  log.named('node').error('failed', new Error('one'));
  log.warn('failed');
  log.info('told');
  log.info('told');
  assert.equal(lines.length, 6);
  await clock.advance(MINUTE_MS);
  log.error('failed', new Error('one'));
  assert.equal(lines.length, 7);
  log.close();
  assert.equal(lines.length, 7);
  assert.equal(clock.pending, 0);
});

test('only so many are remembered', () => {
  const { clock, log } = quiet();
  for (let index = 0; index < 10_000; index++) log.error('failed', new Error(String(index)));
  assert.ok(clock.pending <= 500, `${clock.pending} timers`);
});
