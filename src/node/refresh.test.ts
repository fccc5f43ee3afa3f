// Periodic work of the node over many pods: what fails or hangs for one is that pod's affair, and nobody else's.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { StatusError } from '../api/errors.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestNode, type TestNode } from '../testing/test-node.ts';
import { simulatedVolumes } from './simulated/surroundings.ts';
import { VolumeNotReadyError } from './volumes/volumes.ts';

let node: TestNode;
beforeEach(async () => {
  node = await startTestNode();
});
afterEach(() => node.stop());

const seconds = (count: number) => node.cluster.clock.advance(count * 1000);

it('volumes are refreshed pod by pod: neither a broken pod nor one that hangs keeps others from it', async () => {
  const refreshed: string[] = [];
  let broken = true;
  node.startAgent({
    volumes: {
      ...simulatedVolumes(),
      async setUp(pod) {
        if (pod.metadata.name !== 'never') return simulatedVolumes().setUp(pod);
        throw new VolumeNotReadyError('FailedMount', 'MountVolume.SetUp failed for volume "v" : no');
      },
      async refresh({ metadata: { name } }) {
        refreshed.push(name);
        if (name === 'hangs') await new Promise(() => {});
        if (name === 'broken' && broken) {
          throw new VolumeNotReadyError('FailedMount', 'configmap "settings" not found');
        }
      },
    },
  });
  await node.createPod('never');
  for (const name of ['hangs', 'broken', 'good']) {
    await node.createPod(name);
    await node.ready(name);
  }
  await seconds(31);
  assert.deepEqual(refreshed.sort(), ['broken', 'good', 'hangs']);
  const events = await node.cluster.eventsOf('broken');
  assert.ok(events.includes('FailedMount: configmap "settings" not found'), events.join('\n'));
  refreshed.length = 0;
  await seconds(300);
  const times = (name: string) => refreshed.filter((each) => each === name).length;
  assert.ok(times('good') >= 4, `good was refreshed ${times('good')} times`);
  assert.ok(times('broken') >= 2 && times('broken') <= 4, `broken was tried ${times('broken')} times`);
  assert.equal(times('hangs'), 0);
  assert.equal(times('never'), 0, 'a pod without its volumes has nothing to refresh');
  broken = false;
  await seconds(150);
  refreshed.length = 0;
  await seconds(61);
  assert.ok(times('broken') >= 1, 'what is well again is refreshed as before');
});

it('a pod’s volumes are not taken down while they are refreshed', async () => {
  let finish = (): void => {};
  const torn: string[] = [];
  let refreshing = false;
  node.startAgent({
    volumes: {
      ...simulatedVolumes(),
      refresh: () =>
        new Promise((resolve) => {
          refreshing = true;
          finish = () => {
            refreshing = false;
            resolve();
          };
        }),
      async tearDown(uid) {
        assert.ok(!refreshing);
        torn.push(uid);
      },
    },
  });
  await node.createPod('db');
  await node.ready('db');
  await seconds(31);
  assert.ok(refreshing);
  await node.cluster.client.delete(pods, { namespace: 'default', name: 'db' });
  await seconds(5);
  assert.deepEqual(torn, []);
  finish();
  await node.cluster.until(async () => !(await node.exists('db')), 'db is gone');
  assert.equal(torn.length, 1);
});

it('what is left on disk of pods that are gone is taken down one by one, and again until it is', async () => {
  const torn: string[] = [];
  let busy = true;
  node.startAgent({
    volumes: {
      ...simulatedVolumes(),
      podsOnDisk: async () => ['busy', 'free'],
      async tearDown(uid) {
        if (uid === 'busy' && busy) throw new Error('target is busy');
        torn.push(uid);
      },
    },
  });
  await seconds(1);
  assert.deepEqual(torn, ['free']);
  await seconds(60);
  const complaints = node.cluster.complaints.filter((line) => line.includes('target is busy'));
  assert.equal(complaints.length, 1, 'said once');
  busy = false;
  await seconds(30);
  assert.deepEqual(torn, ['free', 'busy']);
});

it('a pod that cannot be stopped says so, and is tried less and less often', async () => {
  node.startAgent();
  await node.createPod('db');
  await node.ready('db');
  let tries = 0;
  node.runtime.stopContainer = async () => {
    tries++;
    throw new Error('the shim does not answer');
  };
  await node.cluster.client.delete(pods, { namespace: 'default', name: 'db' });
  await seconds(120);
  assert.ok(tries >= 5 && tries <= 9, `tried ${tries} times in two minutes`);
  const events = await node.cluster.eventsOf('db');
  assert.ok(events.includes('FailedKillPod: error killing pod: the shim does not answer'), events.join('\n'));
  const complaints = node.cluster.complaints.filter((line) => line.includes('shim does not answer'));
  assert.equal(complaints.length, 1, 'said once');
});

it('a status that the API refuses keeps the pod from nothing', async () => {
  node.startAgent();
  await node.createPod('db');
  await node.ready('db');
  const { client } = node.cluster;
  const update = client.update.bind(client);
  let refusals = 0;
  client.update = async (resource, object, options) => {
    if (options?.subresource !== 'status' || resource.plural !== 'pods') {
      return update(resource, object, options);
    }
    refusals++;
    throw new StatusError({ code: 422, reason: 'Invalid', message: 'no such status' });
  };
  await client.delete(pods, { namespace: 'default', name: 'db' });
  await node.cluster.until(async () => !(await node.exists('db')), 'db is gone');
  assert.ok(refusals > 0 && refusals < 10, `${refusals} refusals`);
});
