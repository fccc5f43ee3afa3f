// hostPath: a path of the machine, checked or made as its type says (kubelet's pkg/volume/hostpath).
import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '../../api/generated/types.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

const CHECKS: Record<string, { is: (found: Stats) => boolean; word: string }> = {
  Directory: { is: (found) => found.isDirectory(), word: 'a directory' },
  DirectoryOrCreate: { is: (found) => found.isDirectory(), word: 'a directory' },
  File: { is: (found) => found.isFile(), word: 'a file' },
  FileOrCreate: { is: (found) => found.isFile(), word: 'a file' },
  Socket: { is: (found) => found.isSocket(), word: 'a socket file' },
  CharDevice: { is: (found) => found.isCharacterDevice(), word: 'a character device' },
  BlockDevice: { is: (found) => found.isBlockDevice(), word: 'a block device' },
};

/** @throws VolumeNotReadyError if what is there is not what the type says. */
export async function setUpHostPath(source: HostPathVolumeSource): Promise<ReadyVolume> {
  const ready = { hostPath: source.path, readOnly: false };
  if (!source.type) return ready;
  const check = CHECKS[source.type];
  if (!check) throw failed(`unknown type ${JSON.stringify(source.type)}`);
  let found = await stat(source.path).catch(() => undefined);
  if (!found && source.type === 'DirectoryOrCreate') {
    await mkdir(source.path, { recursive: true, mode: 0o755 });
    found = await stat(source.path);
  } else if (!found && source.type === 'FileOrCreate') {
    // The parent directory is not made: as upstream.
    await (
      await open(source.path, 'a', 0o644).catch((error: Error) => Promise.reject(failed(error.message)))
    ).close();
    found = await stat(source.path);
  }
  if (!found || !check.is(found)) throw failed(`${source.path} is not ${check.word}`);
  return ready;
}

function failed(why: string): VolumeNotReadyError {
  return new VolumeNotReadyError('FailedMount', `hostPath type check failed: ${why}`);
}
