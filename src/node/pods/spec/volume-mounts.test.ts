import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VolumeMount } from '../../../api/generated/types.ts';
import type { ContainerMount } from '../../runtime.ts';
import type { ReadyVolume } from '../../volumes/volumes.ts';
import { ContainerConfigError } from './environment.ts';
import { volumeMounts } from './volume-mounts.ts';

const VOLUMES = new Map<string, ReadyVolume>([
  ['data', { hostPath: '/v/data', readOnly: false }],
  ['settings', { hostPath: '/v/settings', readOnly: true }],
  ['files', { hostPath: '/v/files', readOnly: true, sealed: true }],
]);

function mountsOf(...mounts: VolumeMount[]): Promise<ContainerMount[]> {
  const subPath = async (place: object, volume: ReadyVolume, path: string) =>
    `${JSON.stringify(place)} ${volume.hostPath} ${path}`;
  const container = { name: 'web', volumeMounts: mounts };
  return volumeMounts({ subPath }, 'uid', container, VOLUMES, new Map([['A', 'x']]));
}

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ContainerConfigError, String(error));
  assert.match(error.message, message);
  return true;
};

describe('volumeMounts', () => {
  it('are read-only if the volume or the mount is', async () => {
    const mounts = await mountsOf(
      { name: 'data', mountPath: '/a' },
      { name: 'data', mountPath: '/b', readOnly: true, recursiveReadOnly: 'IfPossible' },
      { name: 'settings', mountPath: '/c', mountPropagation: 'HostToContainer' },
      { name: 'files', mountPath: '/d', readOnly: true },
    );
    assert.deepEqual(mounts, [
      { hostPath: '/v/data', containerPath: '/a', readOnly: false, propagation: 'private' },
      { hostPath: '/v/data', containerPath: '/b', readOnly: true, propagation: 'private' },
      { hostPath: '/v/settings', containerPath: '/c', readOnly: true, propagation: 'host-to-container' },
      { hostPath: '/v/files', containerPath: '/d', readOnly: false, propagation: 'private' },
    ]);
  });

  it('name a path inside the volume by itself or by variables', async () => {
    const [, second] = await mountsOf(
      { name: 'data', mountPath: '/a' },
      { name: 'data', mountPath: '/b', subPathExpr: 'p-$(A)' },
    );
    assert.equal(second?.hostPath, '{"podUid":"uid","container":"web","index":1} /v/data p-x');
  });

  it('are refused with what is wrong', async () => {
    await assert.rejects(
      mountsOf({ name: 'none', mountPath: '/a' }),
      refused(/^cannot find volume "none" to mount into container "web"$/),
    );
    await assert.rejects(
      mountsOf({ name: 'data', mountPath: '/a', subPathExpr: '$(C)/$(B)' }),
      refused(/missing value for B, C$/),
    );
    await assert.rejects(
      mountsOf({ name: 'data', mountPath: '/a', subPath: '../etc' }),
      refused(/must be inside the volume$/),
    );
    await assert.rejects(
      mountsOf({ name: 'data', mountPath: '/a', readOnly: true, recursiveReadOnly: 'Enabled' }),
      refused(/not supported by the runtime$/),
    );
  });
});
