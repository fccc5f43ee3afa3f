import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './system-clock.ts';

test('a timer of years does not fire at once', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  const yearMs = 365 * 24 * 3_600_000;
  systemClock.after(yearMs, () => fired++);
  const cancel = systemClock.after(yearMs, () => fired++);
  for (let day = 0; day < 364; day++) context.mock.timers.tick(24 * 3_600_000);
  assert.equal(fired, 0);
  cancel();
  // In mocked time a timer that another sets begins with the next tick.
  for (let day = 0; day < 30; day++) context.mock.timers.tick(24 * 3_600_000);
  assert.equal(fired, 1);
});
