// How pods end: preStop before the signal whatever happens meanwhile, sidecars after what they serve, readiness until
// the containers have ended. The node agent on a simulated runtime, on virtual time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isReady } from '../api/conditions.ts';
import type { Container, PodSpec } from '../api/generated/types.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestNode, type TestNode } from '../testing/test-node.ts';
import { simulatedChecks } from './simulated/surroundings.ts';

let node: TestNode;
beforeEach(async () => {
  node = await startTestNode();
});
afterEach(() => node.stop());

const key = { namespace: 'default', name: 'db' };
const preStop = (seconds: number): Partial<Container> => ({ lifecycle: { preStop: { sleep: { seconds } } } });
const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: `${name}:1`,
  ...more,
});
const sidecar = (name: string, more: Partial<Container> = {}): Container =>
  container(name, { restartPolicy: 'Always', ...more });

async function run(spec: Partial<PodSpec>): Promise<void> {
  await node.createPod('db', { terminationGracePeriodSeconds: 30, ...spec });
  await node.ready('db');
  node.mark();
}
const remove = (gracePeriodSeconds?: number) =>
  node.cluster.client.delete(pods, key, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
const label = (value: string) =>
  node.cluster.client.patch(pods, key, { type: 'merge', body: { metadata: { labels: { role: value } } } });
const gone = () => node.cluster.until(async () => !(await node.exists('db')), 'db is gone');
const seconds = (count: number) => node.cluster.clock.advance(count * 1000);

describe('preStop', () => {
  it('is not cut short by those who write to the pod meanwhile', async () => {
    node.startAgent();
    await run({ containers: [container('db', preStop(6))] });
    await remove();
    for (const role of ['a', 'b', 'c']) {
      await seconds(1);
      await label(role);
    }
    await gone();
    assert.deepEqual(node.happened, ['+6 signal db 24', '+6 end db']);
  });

  it('is not cut short by the end of another container', async () => {
    node.startAgent();
    await run({ containers: [container('db', preStop(6)), container('log')] });
    await remove();
    await gone();
    assert.deepEqual(node.happened, ['+0 signal log 30', '+0 end log', '+6 signal db 24', '+6 end db']);
  });

  it('gives way to a shorter grace period that somebody asks for', async () => {
    node.startAgent();
    node.slowness.set('db', 100);
    await run({ containers: [container('db', preStop(20))] });
    await remove();
    await seconds(2);
    await remove(3);
    await gone();
    assert.deepEqual(node.happened, ['+3 signal db 2', '+5 end db']);
  });

  it('is given up at the end of the grace period', async () => {
    node.startAgent();
    await run({ terminationGracePeriodSeconds: 10, containers: [container('db', preStop(10))] });
    await remove(4);
    await gone();
    assert.deepEqual(node.happened, ['+4 signal db 2', '+4 end db']);
  });

  it('runs again in what is left of the grace period when the agent was restarted in the middle of it', async () => {
    const first = node.startAgent();
    await run({ containers: [container('db', preStop(6))] });
    await remove();
    await seconds(4);
    await first.stop();
    await seconds(4);
    node.startAgent();
    await gone();
    assert.deepEqual(node.happened, ['+14 signal db 17', '+14 end db']);
  });

  it('of a container that is restarted runs first, too', async () => {
    let healthy = true;
    const check = async () => (healthy ? { ok: true, message: '' } : { ok: false, message: 'sick' });
    node.startAgent({ checks: { ...simulatedChecks, http: check } });
    const livenessProbe = { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
    await run({ containers: [container('db', { ...preStop(6), livenessProbe })] });
    healthy = false;
    await seconds(2);
    healthy = true;
    const restarts = async () => (await node.get('db')).status?.containerStatuses?.[0]?.restartCount;
    await node.cluster.until(async () => (await restarts()) === 1, 'restarted');
    assert.deepEqual(
      node.happened.map((line) => line.replace(/^\+\d+ /, '')),
      ['signal db 24', 'end db'],
    );
    const killings = (await node.cluster.eventsOf('db')).filter((event) => event.startsWith('Killing'));
    assert.deepEqual(killings, ['Killing: Container db failed liveness probe, will be restarted']);
  });
});

describe('a preStop that fails', () => {
  const HOOK: Partial<Container> = { lifecycle: { preStop: { exec: { command: ['bye'] } } } };
  const failures = async () =>
    (await node.cluster.eventsOf('db')).filter((event) => event.startsWith('FailedPreStopHook'));

  it('is told', async () => {
    node.runtime.execSync = async () => ({ exitCode: 3, output: '', timedOut: false });
    node.startAgent();
    await run({ containers: [container('db', HOOK)] });
    await remove();
    await gone();
    assert.deepEqual(await failures(), [
      "FailedPreStopHook: PreStopHook failed: command 'bye' exited with 3",
    ]);
  });

  it('because its container has ended meanwhile is not', async () => {
    const { listContainers } = node.runtime;
    node.runtime.execSync = async (id) => {
      // It has ended, and the agent has not been told yet.
      node.runtime.listContainers = async () =>
        (await listContainers.call(node.runtime)).map((each) =>
          each.id === id ? { ...each, state: 'exited' } : each,
        );
      throw new Error('container is in CONTAINER_EXITED state');
    };
    node.startAgent();
    await run({ containers: [container('db', HOOK)] });
    await remove();
    await gone();
    assert.deepEqual(await failures(), []);
  });
});

describe('a signalled container', () => {
  it('is killed sooner only if somebody asks for that', async () => {
    node.startAgent();
    node.slowness.set('db', 100);
    await run({ containers: [container('db')] });
    await remove();
    await seconds(3);
    await label('a');
    await seconds(3);
    assert.deepEqual(node.happened, ['+0 signal db 30']);
    await remove(10);
    await gone();
    assert.deepEqual(node.happened.slice(1), ['+6 signal db 5', '+11 end db']);
  });
});

describe('a sidecar', () => {
  it('begins its preStop with the pod’s end, and is signalled when the apps have ended', async () => {
    node.startAgent();
    node.slowness.set('db', 6);
    const initContainers = [sidecar('one', preStop(2)), sidecar('two')];
    await run({ initContainers, containers: [container('db')] });
    await remove();
    await gone();
    assert.deepEqual(node.happened, [
      '+0 signal db 30',
      '+6 end db',
      '+6 signal two 24',
      '+6 end two',
      '+6 signal one 24',
      '+6 end one',
    ]);
    const killed = (await node.cluster.eventsOf('db')).filter((event) => event.startsWith('Killing'));
    assert.equal(killed.length, 3);
  });

  it('with a longer preStop than the apps take is signalled when it has ended', async () => {
    node.startAgent();
    await run({ initContainers: [sidecar('one', preStop(9))], containers: [container('db')] });
    await remove();
    await gone();
    assert.deepEqual(node.happened.slice(2), ['+9 signal one 21', '+9 end one']);
  });

  it('waits for the apps no longer than the grace period', async () => {
    node.startAgent();
    node.slowness.set('db', 100);
    await run({ initContainers: [sidecar('one')], containers: [container('db')] });
    await remove(5);
    await gone();
    assert.deepEqual(node.happened.slice(0, 3).sort(), ['+0 signal db 5', '+5 end db', '+5 signal one 2']);
  });
});

describe('a terminating pod', () => {
  it('is probed for readiness until its containers end, and for nothing else', async () => {
    let ready = true;
    const asked: string[] = [];
    node.startAgent({
      checks: {
        ...simulatedChecks,
        http: async ({ path }) => {
          asked.push(path);
          return ready || path !== '/ready' ? { ok: true, message: '' } : { ok: false, message: 'no' };
        },
      },
    });
    const probe = (path: string) => ({ httpGet: { port: 80, path }, periodSeconds: 1, failureThreshold: 1 });
    await run({
      containers: [
        container('db', {
          ...preStop(20),
          startupProbe: probe('/started'),
          livenessProbe: probe('/alive'),
          readinessProbe: probe('/ready'),
        }),
      ],
    });
    await remove();
    await seconds(1);
    asked.length = 0;
    await seconds(5);
    assert.deepEqual([...new Set(asked)], ['/ready']);
    assert.ok(isReady(await node.get('db')), 'Ready while it serves');
    ready = false;
    await seconds(2);
    assert.ok(!isReady(await node.get('db')), 'and not when it does not');
    await gone();
  });

  it('does not wait for postStart, nor for an image', async () => {
    node.startAgent();
    const lifecycle = { postStart: { sleep: { seconds: 20 } } };
    const { runtime } = node;
    runtime.setMissing('slow:1', true);
    let givenUp = 0;
    runtime.pullImage = (_image, _credentials, signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => {
          givenUp++;
          reject(new Error('aborted'));
        }),
      );
    await node.createPod('db', { containers: [container('db', { lifecycle }), container('slow')] });
    await seconds(2);
    node.mark();
    await remove();
    await gone();
    assert.deepEqual(node.happened, ['+0 signal db 30', '+0 end db']);
    assert.equal(givenUp, 1);
    const events = await node.cluster.eventsOf('db');
    assert.deepEqual(
      events.filter((event) => /PostStart|Failed/.test(event)),
      [],
    );
  });
});
