import assert from 'node:assert/strict';
import test from 'node:test';
import { ageOf, humanDuration } from './human-duration.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const cases: readonly [number, string][] = [
  [-2 * SECOND, '<invalid>'],
  [-1.5 * SECOND, '0s'],
  [0, '0s'],
  [999, '0s'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [2 * MINUTE + 3 * SECOND, '2m3s'],
  [9 * MINUTE + 59 * SECOND, '9m59s'],
  [10 * MINUTE + 59 * SECOND, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [7 * HOUR + 59 * MINUTE, '7h59m'],
  [8 * HOUR + 59 * MINUTE, '8h'],
  [47 * HOUR, '47h'],
  [48 * HOUR, '2d'],
  [7 * DAY + 23 * HOUR, '7d23h'],
  [8 * DAY + 23 * HOUR, '8d'],
  [729 * DAY, '729d'],
  [730 * DAY, '2y'],
  [3 * 365 * DAY + 5 * DAY, '3y5d'],
  [8 * 365 * DAY + 5 * DAY, '8y'],
];

for (const [durationMs, expected] of cases) {
  test(`${durationMs} ms is ${expected}`, () => assert.equal(humanDuration(durationMs), expected));
}

test('an age is unknown without a time', () => {
  const nowMs = Date.parse('2026-01-01T00:05:00Z');
  assert.equal(ageOf(undefined, nowMs), '<unknown>');
  assert.equal(ageOf('never', nowMs), '<unknown>');
  assert.equal(ageOf('2026-01-01T00:00:00Z', nowMs), '5m');
});
