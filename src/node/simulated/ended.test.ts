import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { startTestNode } from '../../testing/test-node.ts';
import { endedContainersOf } from './ended.ts';
import { simulatedRuntime } from './runtime.ts';
import { SIMULATED_EXIT_CODE } from './surroundings.ts';

it('a simulated runtime that comes back empty does not run again what has ended for good', async () => {
  const node = await startTestNode();
  try {
    const { clock } = node.cluster;
    const first = node.startAgent();
    const once = { name: 'once', image: 'a', restartPolicy: 'Never' };
    await node.createPod(
      'mixed',
      { containers: [once, { name: 'other', image: 'a' }] },
      { annotations: { [SIMULATED_EXIT_CODE]: '1' } },
    );
    const ended = (pod: Stored<Pod>): string | undefined =>
      pod.status?.containerStatuses?.find(({ name, state }) => name === 'once' && state?.terminated)
        ?.containerID;
    await node.cluster.until(async () => ended(await node.get('mixed')) !== undefined, 'it has ended');
    await first.stop();

    const before = await node.get('mixed');
    const remembered = endedContainersOf(before);
    assert.deepEqual(
      remembered?.containers.map(({ name, exitCode }) => [name, exitCode]),
      [['once', 1]],
    );
    const runtime = simulatedRuntime({
      clock,
      firstAddress: '10.77.0.0',
      addresses: 200,
      remembered: remembered ? [remembered] : [],
    });
    node.startAgent({ runtime });
    await clock.advance(60_000);
    const after = await node.get('mixed');
    assert.equal(ended(after), ended(before));
    assert.equal(after.status?.podIP, before.status?.podIP);
    const containers = await runtime.listContainers();
    assert.equal(containers.filter(({ name }) => name === 'once').length, 1);
    assert.ok(containers.some(({ name }) => name === 'other'));
    assert.deepEqual(node.cluster.complaints, []);
  } finally {
    await node.stop();
  }
});
