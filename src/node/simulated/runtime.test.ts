// The runtime without processes, held to what the agent may expect of every runtime, and what is its own.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Clock } from '../../base/clock.ts';
import { runtimeContract } from '../test-contract.ts';
import { simulatedRuntime } from './runtime.ts';

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const addresses = { firstAddress: '10.77.0.0', addresses: 200 };

runtimeContract('simulated', async () => {
  const runtime = simulatedRuntime({ clock, ...addresses, missingImages: new Set(['nowhere:1']) });
  return {
    runtime,
    image: 'busybox:1',
    missingImage: 'nowhere:1',
    logDirectory: '/logs',
    command: [],
    heeds: async () => {},
    end: async (containerId, exitCode) => runtime.exit(containerId, exitCode),
    // It is its own world: what it knows goes with it.
    reopen: async () => runtime,
  };
});

it('an image that was removed is gone until it is pulled again', async () => {
  const runtime = simulatedRuntime({ clock, ...addresses });
  await runtime.removeImage('a:1');
  assert.equal(await runtime.imageStatus('a:1'), undefined);
  const pulled = await runtime.pullImage('a:1', undefined);
  assert.deepEqual(await runtime.imageStatus('a:1'), pulled);
  assert.deepEqual(await runtime.listImages(), [pulled]);
});
