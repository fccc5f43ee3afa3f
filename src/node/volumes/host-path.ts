// hostPath: a path of the machine, checked or made as its type says (kubelet's pkg/volume/hostpath).
import type { Stats } from 'node:fs';
import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { HostPathVolumeSource } from '../../api/generated/types.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

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
    await makeDirectories(resolve(source.path));
    found = await stat(source.path);
  } else if (!found && source.type === 'FileOrCreate') {
    await makeFile(source.path).catch((error: Error) => Promise.reject(failed(error.message)));
    found = await stat(source.path);
  }
  if (!found || !check.is(found)) throw failed(`${source.path} is not ${check.word}`);
  return ready;
}

/** Pods of any user are to reach what is made: the modes are not cut by the umask. */
async function makeDirectories(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  if (first === undefined) return;
  for (let made = path; made.startsWith(first); made = dirname(made)) await chmod(made, DIRECTORY_MODE);
}

/** The parent directory is not made: as upstream. */
async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'ax', FILE_MODE).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await file?.chmod(FILE_MODE).finally(() => file.close());
}

function failed(why: string): VolumeNotReadyError {
  return new VolumeNotReadyError('FailedMount', `hostPath type check failed: ${why}`);
}
