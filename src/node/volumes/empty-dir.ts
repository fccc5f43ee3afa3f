// emptyDir: a directory that lives as long as the pod, on disk or in memory (kubelet's pkg/volume/emptydir).
import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import type { EmptyDirVolumeSource } from '../../api/generated/types.ts';
import type { RunCommand } from '../../api/machine-command.ts';
import { quantityToNumber } from '../../api/quantity.ts';
import { type FsGroup, giveToGroup } from './ownership.ts';
import { mountTmpfs } from './tmpfs.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

/** Any user of the pod may write, as upstream. */
const MODE = 0o777;

export async function setUpEmptyDir(
  run: RunCommand,
  source: EmptyDirVolumeSource,
  directory: string,
  group: FsGroup | undefined,
): Promise<ReadyVolume> {
  // Named when its mode is right. A pod that runs may have changed that since: what it did stays.
  if (!(await stat(directory).catch(() => undefined))) {
    await mkdir(`${directory}.new`, { recursive: true });
    await chmod(`${directory}.new`, MODE);
    await rename(`${directory}.new`, directory);
  }
  if (source.medium === 'Memory') {
    const size = source.sizeLimit === undefined ? 0 : Math.ceil(quantityToNumber(source.sizeLimit));
    await mountTmpfs(run, directory, size > 0 ? [`size=${size}`] : []);
  } else if (source.medium) {
    throw new VolumeNotReadyError(
      'FailedMount',
      `emptyDir.medium ${source.medium} is not supported by this node`,
    );
  }
  if (group) await giveToGroup(directory, { ...group, onlyOnMismatch: true });
  return { hostPath: directory, readOnly: false };
}
