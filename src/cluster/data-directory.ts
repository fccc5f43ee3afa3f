// The data directory as a whole: makes it, and refuses one that a newer stead has written.
import { mkdir, readdir, readFile, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Paths } from './paths.ts';
import { UserError } from './user-error.ts';

/** Raised when an older stead could no longer read what a newer one has written. */
const LAYOUT_VERSION = 1;

/**
 * Looks at what is there, before anything is made.
 * @throws UserError if the data directory holds something else, or the run directory's path is too long.
 */
export async function checkDataDirectory(paths: Paths): Promise<void> {
  refuseLongSocket(paths);
  if ((await readLayoutVersion(paths)) === undefined) await refuseForeign(paths);
}

/**
 * Makes the data directory and the run directory.
 * @throws UserError if they cannot be made, or the data directory is of a newer version.
 */
export async function prepareDataDirectory(paths: Paths): Promise<void> {
  await makeDataDirectory(paths);
  await makeDirectory(paths.run).catch((error: unknown) => {
    throw new UserError(`The directory ${paths.run} for sockets cannot be made: ${reasonOf(error)}.`);
  });
  await refuseFullDisk(paths);
  const found = await readLayoutVersion(paths);
  if (found !== undefined && found > LAYOUT_VERSION) {
    throw new UserError(
      `The data directory ${paths.data} was written by a newer stead (layout ${found}, this one knows ${LAYOUT_VERSION}): install that version, or give another --data-dir.`,
    );
  }
  if (found === undefined) {
    await writeFile(paths.layout, `${JSON.stringify({ layoutVersion: LAYOUT_VERSION })}\n`).catch(
      (error: unknown) => {
        throw new UserError(
          `The data directory ${paths.data} cannot be written to (${error instanceof Error ? error.message : error}): free some space, or give another --data-dir.`,
        );
      },
    );
  }
}

/**
 * Makes it if it is not there.
 * @throws UserError if it cannot be made.
 */
export async function makeDataDirectory({ data }: Paths): Promise<void> {
  try {
    await makeDirectory(data);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const what = `The data directory ${data} cannot be made`;
    switch (code) {
      case 'ENOSPC':
        throw new UserError(
          `No space is left for the data directory ${data}: free some, or give another --data-dir.`,
        );
      case 'EEXIST':
      case 'ENOTDIR':
        throw new UserError(`${what}: there is a file in its place. Give another --data-dir.`);
      default:
        throw new UserError(
          `${what} (${code ?? reasonOf(error)}): run as root, or give a --data-dir that you may write to.`,
        );
    }
  }
}

/** Makes a directory and those above it. Node's own way never ends below some places that take none, as /proc. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (error.code !== 'ENOENT' || (await exists(dirname(path)))) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o755 });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** As many bytes as the path of a unix socket may have; beyond that it is cut off without a word. */
const MAX_SOCKET_PATH = 107;

function refuseLongSocket({ controlSocket }: Paths): void {
  if (Buffer.byteLength(controlSocket) <= MAX_SOCKET_PATH) return;
  throw new UserError(
    `The path of the control socket ${controlSocket} is longer than ${MAX_SOCKET_PATH} bytes: set TMPDIR to a shorter directory.`,
  );
}

/** What may lie in a new data directory: a file system's own, the log of this start, and what its owner prepares. */
const MAY_BE_THERE: ReadonlySet<string> = new Set(['lost+found', 'stead.log', 'registry', 'seccomp']);

/** Everything in the data directory goes with `stead down --purge`: it must not hold what is not stead's. */
async function refuseForeign(paths: Paths): Promise<void> {
  const names = await readdir(paths.data).catch((): string[] => []);
  const foreign = names.find((name) => !MAY_BE_THERE.has(name));
  if (foreign === undefined) return;
  throw new UserError(
    `${paths.data} holds something else than stead’s data (${foreign}): give an empty or a new directory as --data-dir.`,
  );
}

/**
 * Looks whether the directory is one that stead has made, or empty, before anything in it is removed.
 * @throws UserError if it holds something else.
 */
export async function refuseForeignPurge(paths: Paths): Promise<void> {
  const names = await readdir(paths.data).catch((error: unknown): string[] => {
    const isFile = error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
    return isFile ? [paths.data] : [];
  });
  if (names.length === 0 || names.includes(basename(paths.layout))) return;
  if (names.every((name) => MAY_BE_THERE.has(name))) return;
  throw new UserError(
    `${paths.data} is no data directory of stead: nothing is removed. Is it the right --data-dir?`,
  );
}

/** Below this, containers could not even be started and stopped in order. */
const LEAST_FREE_MIB = 64;

async function refuseFullDisk(paths: Paths): Promise<void> {
  const { bavail, bsize } = await statfs(paths.data);
  const freeMib = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMib >= LEAST_FREE_MIB) return;
  throw new UserError(
    `The disk of the data directory ${paths.data} is full (${freeMib} MiB free, stead needs ${LEAST_FREE_MIB}): free some space, or give another --data-dir.`,
  );
}

async function readLayoutVersion(paths: Paths): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(paths.layout, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'layoutVersion' in parsed) {
      if (typeof parsed.layoutVersion === 'number') return parsed.layoutVersion;
    }
  } catch {
    // Written while the machine went down: it holds nothing that cannot be written again.
    return undefined;
  }
  throw new UserError(`${paths.layout} is not a stead layout file: is ${paths.data} the right --data-dir?`);
}
