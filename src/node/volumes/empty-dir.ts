// emptyDir: a directory that lives as long as the pod, on disk or in memory (kubelet's pkg/volume/emptydir).
import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import type { EmptyDirVolumeSource, Pod } from '../../api/generated/types.ts';
import { podLimits } from '../../api/pod-resources.ts';
import { quantityToNumber } from '../../api/quantity.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { type FsGroup, giveToGroup } from './ownership.ts';
import { mountTmpfs } from './tmpfs.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

/** Any user of the pod may write, as upstream. */
const MODE = 0o777;

/**
 * How large an emptyDir in memory may become: what it says itself, what its pod may take of memory, or what the machine
 * has, whichever is least (calculateEmptyDirMemorySize).
 */
export function memoryVolumeBytes(pod: Pod, source: EmptyDirVolumeSource, machineBytes: number): number {
  const limit = podLimits(pod).get('memory');
  const own = source.sizeLimit === undefined ? 0 : Math.ceil(quantityToNumber(source.sizeLimit));
  const bounds = [limit === undefined ? 0 : Number(limit / 1_000_000_000n), own];
  return Math.min(machineBytes, ...bounds.filter((bytes) => bytes > 0));
}

/** @param memoryBytes how large it may become if it is in memory. */
export async function setUpEmptyDir(
  run: RunCommand,
  source: EmptyDirVolumeSource,
  directory: string,
  group: FsGroup | undefined,
  memoryBytes: number,
): Promise<ReadyVolume> {
  // Named when its mode is right. A pod that runs may have changed that since: what it did stays.
  if (!(await stat(directory).catch(() => undefined))) {
    await mkdir(`${directory}.new`, { recursive: true });
    await chmod(`${directory}.new`, MODE);
    await rename(`${directory}.new`, directory);
  }
  if (source.medium === 'Memory') {
    await mountTmpfs(run, directory, [`size=${memoryBytes}`]);
  } else if (source.medium) {
    throw new VolumeNotReadyError(
      'FailedMount',
      `emptyDir.medium ${source.medium} is not supported by this node`,
    );
  }
  if (group) await giveToGroup(directory, { ...group, onlyOnMismatch: true });
  return { hostPath: directory, readOnly: false };
}
