import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { Probe } from '../../api/generated/types.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { ProbeKind, ProbeOutcome } from '../pods/observation.ts';
import { networkChecks } from './network-checks.ts';
import { ProbeRunner } from './probe-runner.ts';

function start(kind: ProbeKind, probe: Probe, initial?: ProbeOutcome) {
  const clock = new VirtualClock(0);
  const checkedAt: number[] = [];
  const failures: string[] = [];
  let healthy = true;
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
      return { ok: healthy, message: 'no' };
    },
    changed: () => changes++,
    failed: (message, quiet) => {
      if (!quiet) failures.push(message);
    },
  });
  runner.start();
  return {
    runner,
    clock,
    checkedAt,
    failures,
    changes: () => changes,
    setHealthy: (value: boolean) => {
      healthy = value;
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
});

describe('network checks', () => {
  const clock = {
    now: () => Date.now(),
    after(delayMs: number, action: () => void) {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
  };

  it('say what upstream says', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/hang') return;
      response.statusCode = request.url === '/ok' && request.headers['x-key'] === 'v' ? 204 : 503;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const checks = networkChecks(clock);
    const ask = (path: string, timeoutMs = 1000) =>
      checks.http(
        { scheme: 'HTTP', host: '127.0.0.1', port, path, headers: [{ name: 'X-Key', value: 'v' }] },
        timeoutMs,
      );
    assert.deepEqual(await ask('/ok'), { ok: true, message: '' });
    assert.deepEqual(await ask('/bad'), { ok: false, message: 'HTTP probe failed with statuscode: 503' });
    assert.match((await ask('/hang', 50)).message, /context deadline exceeded/);
    assert.equal((await checks.tcp('127.0.0.1', port, 1000)).ok, true);
    await new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    });
    assert.equal(
      (await ask('/ok')).message,
      `Get "http://127.0.0.1:${port}/ok": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    const refused = await checks.grpc('127.0.0.1', port, '', 300);
    assert.equal(refused.ok, false);
  });
});
