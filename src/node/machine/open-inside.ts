// Opens paths inside a directory in which others make, swap and remove things at the same time: the volumes of pods.
// Every step starts from the directory that the step before has opened, and no link is followed but by reading it and
// going on inside; so whatever is swapped in between, what is opened lies inside (kubelet's
// pkg/volume/util/subpath/subpath_linux.go, openat2's RESOLVE_BENEATH). Node has no openat, but the kernel resolves
// `/proc/self/fd/N/name` from the open directory N, which is the same. What is done with what is open is not here.
import { constants, type Stats } from 'node:fs';
import { chmod, chown, type FileHandle, lstat, mkdir, open, readdir, readlink } from 'node:fs/promises';

/** Linux's O_PATH, which Node does not name: the file is only located; a FIFO or a device is not touched. */
const O_PATH = 0o10000000;
/** As many links as the kernel follows in one path. */
const MAX_LINKS = 40;
/** How many directories below each other are held open at once. */
export const MAX_DEPTH = 256;
/** How often somebody may take away a directory between its being made and opened. */
const MAX_TRIES = 16;
/** Until it has its right mode, a new directory is nobody else's. */
const UNFINISHED_MODE = 0o700;

/** A path that would leave the directory in which it has to stay, or that somebody changes all the time. */
export class NotInsideError extends Error {}

/** A path to what is open, wherever it has been moved to. It is good as long as the handle is. */
export const pathOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

/** The path of an entry of an open directory. Only for calls that do not follow a link at the end of a path. */
const entryPath = (directory: FileHandle, name: string): string => `${pathOf(directory)}/${name}`;

/** Opens a directory by a path that only trusted users can change. */
export function openDirectory(path: string): Promise<FileHandle> {
  return open(path, O_PATH | constants.O_DIRECTORY);
}

/** Opens an entry of an open directory as what it is, a link too; undefined if there is none. */
export async function openEntry(directory: FileHandle, name: string): Promise<FileHandle | undefined> {
  return open(entryPath(directory, name), O_PATH | constants.O_NOFOLLOW).catch(ifMissing);
}

/**
 * Opens a path inside a directory. Links that stay inside are followed, as upstream.
 * @param root a directory by a path that only trusted users can change.
 * @param path below it.
 * @param options.make makes the directories that are missing, each with the mode and the group of the root.
 * @returns a handle that locates the file or directory (O_PATH); the caller closes it.
 * @throws NotInsideError if the path leads out; ENOENT if it is not there and not to be made.
 */
export async function openInside(
  root: string,
  path: string,
  options: { make: boolean },
): Promise<FileHandle> {
  const base = await openDirectory(root);
  const opened = [base];
  const todo = path.split('/').reverse();
  let links = 0;
  try {
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (opened.length === 1) throw new NotInsideError(`${path} leads out of the directory it is in`);
        await opened.pop()?.close();
        continue;
      }
      if (opened.length > MAX_DEPTH)
        throw new NotInsideError(`${path} is deeper than ${MAX_DEPTH} directories`);
      const directory = opened.at(-1) ?? base;
      const entry = await openOrMake(directory, name, options.make ? base : undefined);
      opened.push(entry);
      if (!(await entry.stat()).isSymbolicLink()) continue;
      await opened.pop()?.close();
      if (++links > MAX_LINKS) throw new NotInsideError(`${path} leads through too many symbolic links`);
      const target = await readlink(entryPath(directory, name)).catch(ifMissing);
      if (target === undefined) {
        // It was swapped meanwhile: looked at once more.
        todo.push(name);
      } else if (target.startsWith('/')) {
        todo.push(...stepsBelow(await readlink(pathOf(base)), target, path));
        await Promise.all(opened.splice(1).map((handle) => handle.close()));
      } else {
        todo.push(...target.split('/').reverse());
      }
    }
    return opened.pop() ?? base;
  } finally {
    await Promise.all(opened.map((handle) => handle.close()));
  }
}

/** The steps to an absolute path from a directory that it lies below, the first one last. */
function stepsBelow(root: string, target: string, path: string): string[] {
  if (target !== root && !target.startsWith(root === '/' ? '/' : `${root}/`)) {
    throw new NotInsideError(`${path} leads out of the directory it is in through a symbolic link`);
  }
  return target.slice(root.length).split('/').reverse();
}

async function openOrMake(
  directory: FileHandle,
  name: string,
  like: FileHandle | undefined,
): Promise<FileHandle> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const entry = await openEntry(directory, name);
    if (entry !== undefined) return entry;
    if (like === undefined) throw Object.assign(new Error(`${name} does not exist`), { code: 'ENOENT' });
    const path = entryPath(directory, name);
    const isNew = await mkdir(path, { mode: UNFINISHED_MODE }).then(() => true, ifThere);
    const made = isNew ? await openEntry(directory, name) : undefined;
    if (made === undefined) continue;
    try {
      await makeLike(made, await like.stat());
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }
  throw new NotInsideError(`${name} is made and removed all the time`);
}

/** Gives a directory that was just made mode and group. If it was swapped for another meanwhile, that stays as it is. */
async function makeLike(made: FileHandle, like: Stats): Promise<void> {
  const found = await made.stat();
  const isOurs =
    found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o777) === UNFINISHED_MODE;
  if (!isOurs || (await readdir(pathOf(made))).length > 0) return;
  if (found.gid !== like.gid) await chown(pathOf(made), found.uid, like.gid);
  await chmod(pathOf(made), like.mode & 0o7777);
}

/** What one sees at an entry, without following it; undefined if there is none. */
export function lookAtEntry(directory: FileHandle, name: string): Promise<Stats | undefined> {
  return lstat(entryPath(directory, name)).catch(ifMissing);
}

/** ENOENT: it is not there. EINVAL: it is no link (any more). */
function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'EINVAL') throw error;
}

function ifThere(error: NodeJS.ErrnoException): false {
  if (error.code !== 'EEXIST') throw error;
  return false;
}
