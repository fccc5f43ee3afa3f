// What becomes of a container whose exec probe has no result: the node agent on a simulated runtime that refuses.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { startTestNode, type TestNode } from '../../testing/test-node.ts';

const PROBE = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 1 };
const UNKNOWN = 'probe errored and resulted in unknown state: the container runtime does not answer';

let node: TestNode;
beforeEach(async () => {
  node = await startTestNode();
});
afterEach(() => node.stop());

const says = (event: string) =>
  node.cluster.until(async () => (await node.cluster.eventsOf('web-0')).includes(event), event);

it('trouble of the runtime is told, and neither restarts a container nor makes it unready', async () => {
  let refused = Number.POSITIVE_INFINITY;
  let asked = 0;
  const { execSync } = node.runtime;
  node.runtime.execSync = (id, command, timeoutMs) => {
    if (asked++ >= refused) throw new Error('the container runtime does not answer');
    return execSync.call(node.runtime, id, command, timeoutMs);
  };
  node.startAgent();
  const web = { name: 'web', image: 'nginx:1', livenessProbe: PROBE, readinessProbe: PROBE };
  await node.createPod('web-0', { containers: [web] });
  await node.ready('web-0');
  refused = asked;
  await says(`Unhealthy: Liveness ${UNKNOWN}`);
  await says(`Unhealthy: Readiness ${UNKNOWN}`);
  await node.cluster.clock.advance(5000);
  assert.ok((await node.get('web-0')).status?.containerStatuses?.every(({ ready }) => ready));
  assert.equal(node.created.length, 1);
});

it('a startup probe that errors keeps a container from being started, and does not restart it', async () => {
  node.runtime.execSync = async () => {
    throw new Error('the container runtime does not answer');
  };
  node.startAgent();
  await node.createPod('web-0', { containers: [{ name: 'web', image: 'nginx:1', startupProbe: PROBE }] });
  await says(`Unhealthy: Startup ${UNKNOWN}`);
  await node.cluster.clock.advance(5000);
  assert.equal((await node.get('web-0')).status?.containerStatuses?.[0]?.started, false);
  assert.equal(node.created.length, 1);
});

it('one error between answers is not told: the check is made again at once', async () => {
  let asked = 0;
  const { execSync } = node.runtime;
  node.runtime.execSync = (id, command, timeoutMs) => {
    if (asked++ % 3 < 2) throw new Error('write ECONNRESET');
    return execSync.call(node.runtime, id, command, timeoutMs);
  };
  node.startAgent();
  await node.createPod('web-0', { containers: [{ name: 'web', image: 'nginx:1', readinessProbe: PROBE }] });
  await node.ready('web-0');
  assert.ok(!(await node.cluster.eventsOf('web-0')).some((event) => event.startsWith('Unhealthy')));
});
