// Growing volumes for claims: what the claim is told, and that the bytes are really there while a pod uses them.
import assert from 'node:assert/strict';
import { mkdtemp, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/types.ts';
import { persistentVolumeClaims } from '../../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../../api/resources/persistent-volumes/definition.ts';
import { silentLog } from '../../../base/log.ts';
import { startTestControlPlane, type TestControlPlane } from '../../../testing/test-control-plane.ts';
import { runCommand } from '../../machine/command.ts';
import { removeUnmounted } from '../../machine/mounts.ts';
import { VolumeNotReadyError } from '../volumes.ts';
import { probeBacking } from './backing.ts';
import { cleanUpAll } from './clean-up.ts';
import { failedStatus, grownStatus, isToGrow } from './grow.ts';
import { localVolumeOf } from './layout.ts';
import { LocalVolumes, prepareVolumesDirectory } from './local-volumes.ts';
import { runLocalVolumes, type VolumeKeeper } from './run.ts';

const MIB = 1024 * 1024;
const KEY = { namespace: 'default', name: 'www-web-0' };
const kindHere = process.getuid?.() === 0 ? (await probeBacking(runCommand, tmpdir())).kind : 'directory';
const needsXfs = kindHere === 'xfs-image' ? {} : { skip: `XFS images are not possible here: ${kindHere}` };

function volumeOf(path: string, storage: string): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv', annotations: { 'pv.kubernetes.io/provisioned-by': 'stead.dev/local' } },
    spec: {
      local: { path },
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { kind: 'PersistentVolumeClaim', ...KEY },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-a'] }] },
          ],
        },
      },
    },
  };
}

const CLAIM: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: KEY,
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '60Mi' } },
    volumeName: 'pv',
  },
  status: { phase: 'Bound', capacity: { storage: '20Mi' } },
};
const PENDING = { type: 'FileSystemResizePending', status: 'True' };

test('grows what has more than its claim can use, and nothing else', () => {
  assert.equal(isToGrow(volumeOf('/v/pv', '60Mi'), CLAIM), true);
  assert.equal(isToGrow(volumeOf('/v/pv', '20480Ki'), CLAIM), false);
  assert.equal(isToGrow(volumeOf('/v/pv', '60Mi'), { ...CLAIM, status: { phase: 'Bound' } }), false);
  const other = { ...CLAIM, metadata: { ...KEY, name: 'other' } };
  assert.equal(isToGrow(volumeOf('/v/pv', '60Mi'), other), false);
});

test('a claim whose volume has grown says so, and keeps what others say', () => {
  const mine = { type: 'Mine', status: 'True' };
  const before = { ...CLAIM, status: { ...CLAIM.status, conditions: [PENDING, mine] } };
  const status = grownStatus(before, volumeOf('/v/pv', '60Mi'));
  assert.deepEqual(status, { phase: 'Bound', capacity: { storage: '60Mi' }, conditions: [mine] });
});

test('a failure is told once', () => {
  const status = failedStatus(CLAIM, 'no room', 0);
  assert.deepEqual(
    status?.conditions?.map(({ type, message }) => `${type}: ${message}`),
    ['NodeResizeError: no room'],
  );
  assert.equal(failedStatus({ ...CLAIM, ...(status ? { status } : {}) }, 'no room', 1), undefined);
  assert.ok(failedStatus({ ...CLAIM, ...(status ? { status } : {}) }, 'less room', 1));
});

/** A cluster with the volume and its bound claim, and this node's keeper of volumes. */
async function clusterWith(
  context: TestContext,
  keeper: VolumeKeeper,
  capacity: string,
): Promise<TestControlPlane> {
  const cluster = await startTestControlPlane();
  context.after(() => cluster.stop());
  await cluster.client.create(persistentVolumes, volumeOf(join(keeper.volumesDirectory, 'pv'), capacity));
  const claim = await cluster.client.create(persistentVolumeClaims, structuredClone(CLAIM));
  const body = structuredClone({ ...claim, status: { ...CLAIM.status, conditions: [PENDING] } });
  await cluster.client.update(persistentVolumeClaims, body, { subresource: 'status' });
  cluster.run(runLocalVolumes(cluster.context, { nodeName: 'node-a', volumes: keeper }));
  return cluster;
}

test('a disk that is full is told on the claim, and tried again until there is room', async (context) => {
  let isFull = true;
  const keeper: VolumeKeeper = {
    volumesDirectory: '/v',
    grow: async () => {
      if (isFull) throw new VolumeNotReadyError('VolumeResizeFailed', 'not enough disk space');
    },
    remove: async () => true,
    onReleased: () => () => {},
  };
  const cluster = await clusterWith(context, keeper, '60Mi');
  const status = async () => (await cluster.client.get(persistentVolumeClaims, KEY)).status;
  await cluster.until(
    async () => (await status())?.conditions?.some(({ type }) => type === 'NodeResizeError') === true,
    'the failure',
  );
  await cluster.clock.advance(60_000);
  assert.equal((await status())?.capacity?.storage, '20Mi');
  isFull = false;
  await cluster.until(async () => (await status())?.capacity?.storage === '60Mi', 'the growth');
  assert.equal((await status())?.conditions, undefined);
  assert.deepEqual(await cluster.eventsOf('www-web-0'), [
    'VolumeResizeFailed: not enough disk space',
    'FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "pv"',
  ]);
});

test('the bytes of a volume in use grow when its object says more', needsXfs, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-grow-'));
  context.after(async () => {
    await cleanUpAll(runCommand, [directory]);
    await removeUnmounted(runCommand, directory);
  });
  const volumes = new LocalVolumes({
    volumesDirectory: await prepareVolumesDirectory(directory),
    run: runCommand,
    log: silentLog,
  });
  const local = localVolumeOf(
    volumeOf(join(volumes.volumesDirectory, 'pv'), '20Mi'),
    volumes.volumesDirectory,
  );
  assert.ok(local);
  const files = await volumes.use(local, 'pod-1');
  await writeFile(join(files, 'kept'), 'before');
  const before = await statfs(files);
  assert.ok(before.bavail * before.bsize < 30 * MIB);

  const cluster = await clusterWith(context, volumes, '60Mi');
  const capacity = async (): Promise<string | undefined> =>
    (await cluster.client.get(persistentVolumeClaims, KEY)).status?.capacity?.storage;
  // Commands of the machine take real time, which the virtual clock does not know of.
  for (let round = 0; round < 500 && (await capacity()) !== '60Mi'; round++) {
    await cluster.clock.settle();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(await capacity(), '60Mi');
  const grown = await statfs(files);
  assert.ok(grown.bavail * grown.bsize >= 59 * MIB, `${(grown.bavail * grown.bsize) / MIB} MiB are free`);
  await volumes.release(local, 'pod-1');
});
