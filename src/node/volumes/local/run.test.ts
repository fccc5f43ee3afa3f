import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../../api/objects.ts';
import type { Clock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import type { RunCommand } from '../../../base/machine-command.ts';
import type { Client, Patch } from '../../../client/client.ts';
import type { Informer, InformerHandlers, Informers } from '../../../client/informers.ts';
import { runCommand } from '../../machine/command.ts';
import { localVolumeOf } from './layout.ts';
import { LocalVolumes, prepareVolumesDirectory } from './local-volumes.ts';
import { isBeingRemovedHere, runLocalVolumes } from './run.ts';

/** Volumes are directories: what is tested here needs no root. */
const withoutImages: RunCommand = (program, args, options) =>
  program.startsWith('mkfs') ? Promise.reject(new Error('none')) : runCommand(program, args, options);

function volumeOf(name: string, path: string): Stored<PersistentVolume> {
  return {
    metadata: {
      name,
      uid: name,
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { 'pv.kubernetes.io/provisioned-by': 'stead.dev/local' },
      finalizers: ['kubernetes.io/pv-protection', 'stead.dev/local-volume'],
    },
    spec: {
      local: { path },
      capacity: { storage: '1Mi' },
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

const terminating = (volume: Stored<PersistentVolume>): Stored<PersistentVolume> => ({
  ...volume,
  metadata: { ...volume.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' },
});

test('only volumes of this node that are being deleted, and still wait for it', () => {
  const volume = volumeOf('pv', '/x');
  assert.equal(isBeingRemovedHere(volume, 'node-a'), false);
  assert.equal(isBeingRemovedHere(terminating(volume), 'node-a'), true);
  assert.equal(isBeingRemovedHere(terminating(volume), 'node-b'), false);
  const done = terminating({ ...volume, metadata: { ...volume.metadata, finalizers: [] } });
  assert.equal(isBeingRemovedHere(done, 'node-a'), false);
});

test('the bytes go when the last pod has gone, then the finalizer', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-run-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const volumes = new LocalVolumes({
    volumesDirectory: await prepareVolumesDirectory(directory),
    run: withoutImages,
    log: silentLog,
  });
  const volume = volumeOf('pv', join(volumes.volumesDirectory, 'pv'));
  const local = localVolumeOf(volume, volumes.volumesDirectory);
  assert.ok(local);
  await volumes.use(local, 'pod-1');

  let stored = volume;
  let handlers: InformerHandlers<PersistentVolume> = {};
  const informer: Informer<PersistentVolume> = {
    get: (_, name) => (name === 'pv' ? stored : undefined),
    list: () => [stored],
    byIndex: () => [],
    subscribe: (given) => {
      handlers = given;
      given.added?.(stored);
      return () => {};
    },
    addIndex: () => {},
    synced: async () => {},
  };
  // The only resource that is asked for is PersistentVolume.
  const informers = { of: () => informer } as unknown as Informers;
  const patches: Patch[] = [];
  let patched = (): void => {};
  const letGo = new Promise<void>((resolve) => {
    patched = resolve;
  });
  const client = {
    patch: async (_resource: unknown, _key: unknown, patch: Patch): Promise<KubeObject> => {
      patches.push(patch);
      patched();
      return volume;
    },
  } as unknown as Client;
  const clock: Clock = {
    now: () => 0,
    after: (_, action) => {
      const timer = setImmediate(action);
      return () => clearImmediate(timer);
    },
  };
  const end = new AbortController();
  const running = runLocalVolumes(
    {
      client,
      informers,
      clock,
      random: { next: () => 0, uuid: () => '' },
      log: silentLog,
      signal: end.signal,
    },
    { nodeName: 'node-a', volumes },
  );
  stored = terminating(volume);
  handlers.updated?.(stored, volume);
  await new Promise((resolve) => setImmediate(resolve));
  await access(local.directory);
  assert.deepEqual(patches, []);
  await volumes.release(local, 'pod-1');
  await letGo;
  await assert.rejects(access(local.directory));
  const metadata = { resourceVersion: '7', finalizers: ['kubernetes.io/pv-protection'] };
  assert.deepEqual(patches, [{ type: 'merge', body: { metadata } }]);
  end.abort();
  await running;
});
