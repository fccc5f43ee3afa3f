import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod, PodStatus } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { pods } from '../../../api/resources/pods/definition.ts';
import { sleep } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import { startTestControlPlane } from '../../../testing/test-control-plane.ts';
import { StatusWriter } from './status-writer.ts';

/** How long the API takes over a write. */
const WRITE_MS = 30;

/** How often the status of a pod with so many init containers is written while it changes all the time for 6 s. */
async function writesIn6Seconds(initContainers: number): Promise<number> {
  const cluster = await startTestControlPlane();
  const { client, clock } = cluster;
  try {
    const pod: Pod = {
      metadata: { namespace: 'default', name: 'big' },
      spec: {
        containers: [{ name: 'web', image: 'a' }],
        initContainers: Array.from({ length: initContainers }, (_, index) => ({
          name: `i${index}`,
          image: 'a',
        })),
      },
    };
    const created = await client.create(pods, pod);
    let revision = Number(created.metadata.resourceVersion);
    let writes = 0;
    const slow = Object.assign(Object.create(client), {
      async update(_: typeof pods, written: Stored<Pod>): Promise<Stored<Pod>> {
        writes++;
        await sleep(clock, WRITE_MS);
        revision++;
        return { ...written, metadata: { ...written.metadata, resourceVersion: `${revision}` } };
      },
    });
    const writer = new StatusWriter(slow, clock, silentLog, created, () => {});
    const status = (message: string): PodStatus => ({ phase: 'Pending', message });
    for (let change = 0; change < 600; change++) {
      writer.set(status(`${change}`));
      await clock.advance(10);
    }
    writer.close();
    await clock.advance(1_000);
    await writer.flush();
    return writes;
  } finally {
    await cluster.stop();
  }
}

describe('the status of a pod that changes all the time', () => {
  it('is written without pause', async () => {
    assert.ok((await writesIn6Seconds(2)) > 100);
  });

  it('is written a few times a second when each write costs much: of a large pod', async () => {
    const writes = await writesIn6Seconds(500);
    assert.ok(writes >= 10 && writes <= 30, `${writes} writes`);
  });
});
