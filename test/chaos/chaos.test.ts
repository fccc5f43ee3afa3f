// Ten rounds of chaos, so that nothing that breaks a promise under kill -9 lands unseen. `npm run chaos` runs more.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { noContainers } from '../kit/stead.ts';
import { chaos } from './chaos.ts';

it('keeps its promises through ten rounds of kill -9', { skip: noContainers }, async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const report = await chaos(10, seed, (line) => t.diagnostic(line));
  assert.equal(report.rounds, 10);
  assert.ok(report.acknowledged > 0 && report.steps > 0 && report.looks > 0, 'nothing was put to the test');
  const { lost, doubles, counters, leaks } = report;
  assert.deepEqual({ lost, doubles, counters, leaks }, { lost: [], doubles: [], counters: [], leaks: [] });
});
