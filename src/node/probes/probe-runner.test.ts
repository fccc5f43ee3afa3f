import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Probe } from '../../api/generated/types.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { ProbeKind, ProbeOutcome } from '../pods/decide/observation.ts';
import { ProbeRunner } from './probe-runner.ts';

function start(kind: ProbeKind, probe: Probe, initial?: ProbeOutcome) {
  const clock = new VirtualClock(0);
  const checkedAt: number[] = [];
  const failures: string[] = [];
  const warnings: string[] = [];
  let healthy = true;
  let errored: 'unknown' | undefined;
  let changes = 0;
  const runner = new ProbeRunner({
    clock,
    kind,
    probe,
    startedAtMs: 0,
    initial,
    mayRun: () => true,
    check: async () => {
      checkedAt.push(clock.now());
      if (errored !== undefined) return { ok: false, message: 'no answer', errored };
      return healthy ? { ok: true, message: '', warning: 'hm' } : { ok: false, message: 'no' };
    },
    changed: () => changes++,
    failed: ({ message }, quiet) => {
      if (!quiet) failures.push(message);
    },
    warned: (message) => warnings.push(message),
  });
  runner.start();
  return {
    runner,
    clock,
    checkedAt,
    failures,
    warnings,
    changes: () => changes,
    setHealthy: (value: boolean) => {
      healthy = value;
    },
    setErrored: (value: 'unknown' | undefined) => {
      errored = value;
    },
  };
}

describe('probe runner', () => {
  it('asks at once, then every period', async () => {
    const probe = start('readiness', { exec: {}, periodSeconds: 10 });
    await probe.clock.advance(25_000);
    assert.deepEqual(probe.checkedAt, [0, 10_000, 20_000]);
    assert.equal(probe.runner.outcome, 'success');
    assert.equal(probe.changes(), 1);
  });

  it('waits for the initial delay', async () => {
    const probe = start('readiness', { exec: {}, initialDelaySeconds: 7, periodSeconds: 10 });
    await probe.clock.advance(8000);
    assert.deepEqual(probe.checkedAt, [7000]);
  });

  it('counts failures to the threshold before it turns, and again for success', async () => {
    const probe = start('readiness', {
      exec: {},
      periodSeconds: 1,
      failureThreshold: 3,
      successThreshold: 2,
    });
    await probe.clock.advance(1500);
    assert.equal(probe.runner.outcome, 'success');
    probe.setHealthy(false);
    await probe.clock.advance(2000);
    assert.equal(probe.runner.outcome, 'success');
    await probe.clock.advance(1000);
    assert.equal(probe.runner.outcome, 'failure');
    assert.equal(probe.failures.length, 3);
    probe.setHealthy(true);
    await probe.clock.advance(1000);
    assert.equal(probe.runner.outcome, 'failure');
    await probe.clock.advance(1000);
    assert.equal(probe.runner.outcome, 'success');
  });

  it('asks a starting server more often than its period, without complaining', async () => {
    const probe = start('readiness', { httpGet: { port: 80 }, periodSeconds: 10 });
    probe.setHealthy(false);
    await probe.clock.advance(100);
    assert.deepEqual(probe.checkedAt, [0, 25, 75]);
    assert.deepEqual(probe.failures, []);
    probe.setHealthy(true);
    await probe.clock.advance(100);
    assert.equal(probe.runner.outcome, 'success');
    assert.equal(probe.checkedAt.length, 4);
  });

  it('holds liveness for alive until it fails, and then stops asking', async () => {
    const probe = start('liveness', { exec: {}, periodSeconds: 1, failureThreshold: 2 });
    assert.equal(probe.runner.outcome, 'success');
    probe.setHealthy(false);
    await probe.clock.advance(10_000);
    assert.equal(probe.runner.outcome, 'failure');
    assert.equal(probe.checkedAt.length, 2);
  });

  it('ends a startup probe with its first verdict', async () => {
    const probe = start('startup', { exec: {}, periodSeconds: 1 });
    await probe.clock.advance(5000);
    assert.equal(probe.checkedAt.length, 1);
    assert.equal(probe.runner.outcome, 'success');
  });

  for (const kind of ['liveness', 'readiness', 'startup'] as const) {
    it(`a ${kind} check that errors is told, and counts for nothing`, async () => {
      const probe = start(kind, { exec: {}, periodSeconds: 1, failureThreshold: 2 });
      const before = probe.runner.outcome;
      probe.setErrored('unknown');
      await probe.clock.advance(4500);
      assert.equal(probe.runner.outcome, before);
      assert.deepEqual(probe.failures, Array(5).fill('no answer'));
      probe.setErrored(undefined);
      probe.setHealthy(false);
      await probe.clock.advance(1000);
      assert.equal(probe.runner.outcome, before);
      // Between two failures an error changes nothing either.
      probe.setErrored('unknown');
      await probe.clock.advance(1000);
      probe.setErrored(undefined);
      await probe.clock.advance(1000);
      assert.equal(probe.runner.outcome, 'failure');
    });
  }

  it('what warns has succeeded, and is told', async () => {
    const probe = start('readiness', { exec: {}, periodSeconds: 10 });
    await probe.clock.advance(1000);
    assert.equal(probe.runner.outcome, 'success');
    assert.deepEqual(probe.warnings, ['hm']);
  });
});
