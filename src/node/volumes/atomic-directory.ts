// Writes a projected volume so that a reader sees all of its old files or all of the new ones, never a mixture
// (kubelet's AtomicWriter, pkg/volume/util/atomic_writer.go):
//
//   <dir>/..2026_11_22_08_00_00.x7Kq/config.yaml      the files
//   <dir>/..data -> ..2026_11_22_08_00_00.x7Kq        swapped by one rename
//   <dir>/config.yaml -> ..data/config.yaml           what containers open
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Payload } from './payload.ts';

const DATA_LINK = '..data';
const NEW_DATA_LINK = '..data_tmp';
const DIRECTORY_MODE = 0o755;

/**
 * Makes the directory hold exactly these files. Writes nothing if it does already; repairs what a crash left.
 * @param nowMs only names the new directory.
 * @param group if given, the files belong to this group and it may read them (a pod's fsGroup).
 */
export async function writeAtomically(
  directory: string,
  payload: Payload,
  nowMs: number,
  group?: number,
): Promise<void> {
  const current = await readlink(join(directory, DATA_LINK)).catch(() => undefined);
  if (current === undefined || !(await holds(join(directory, current), payload))) {
    const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
    const fresh = await mkdtemp(join(directory, `..${stamp}.`));
    await writeFiles(fresh, payload, group);
    await rm(join(directory, NEW_DATA_LINK), { force: true });
    await symlink(fresh.slice(directory.length + 1), join(directory, NEW_DATA_LINK));
    await rename(join(directory, NEW_DATA_LINK), join(directory, DATA_LINK));
  }
  await linkNames(directory, payload);
}

async function writeFiles(directory: string, payload: Payload, group: number | undefined): Promise<void> {
  await finishDirectory(directory, group);
  for (const [path, file] of payload) {
    if (path.split('/').includes('..')) throw new Error(`file path ${path} leads out of the volume`);
    let parent = directory;
    for (const part of dirname(path)
      .split('/')
      .filter((name) => name !== '.')) {
      parent = join(parent, part);
      if (await mkdir(parent).then(() => true, ignoreExisting)) await finishDirectory(parent, group);
    }
    const target = join(directory, path);
    await writeFile(target, file.content);
    if (group !== undefined) await chown(target, 0, group);
    await chmod(target, group === undefined ? file.mode : file.mode | 0o440);
  }
}

async function finishDirectory(directory: string, group: number | undefined): Promise<void> {
  if (group !== undefined) await chown(directory, 0, group);
  await chmod(directory, group === undefined ? DIRECTORY_MODE : DIRECTORY_MODE | 0o2000);
}

function ignoreExisting(error: NodeJS.ErrnoException): false {
  if (error.code !== 'EEXIST') throw error;
  return false;
}

/** Whether a directory holds these files with these contents, and no others. */
async function holds(directory: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  if (files.length !== payload.size) return false;
  for (const [path, { content }] of payload) {
    const found = await readFile(join(directory, path)).catch(() => undefined);
    if (!found?.equals(content)) return false;
  }
  return true;
}

/** Makes the names that containers see, and removes those of files, and directories of files, that are gone. */
async function linkNames(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  const data = await readlink(join(directory, DATA_LINK));
  for (const name of wanted) {
    const link = join(directory, name);
    if (!(await lstat(link).catch(() => undefined))) await symlink(join(DATA_LINK, name), link);
  }
  for (const name of await readdir(directory)) {
    const kept = name === DATA_LINK || name === data || wanted.has(name);
    if (!kept) await rm(join(directory, name), { recursive: true, force: true });
  }
}
