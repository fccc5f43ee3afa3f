// The data directory as a whole: makes it, and refuses one that a newer stead has written.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText } from '../../base/error-text.ts';
import { UserError } from '../process/user-error.ts';
import type { Paths } from './paths.ts';

/** Raised when an older stead could no longer read what a newer one has written. */
const LAYOUT_VERSION = 1;

/** What `layout.json` says. */
interface Layout {
  layoutVersion: number;
  /** Names of what lay in the directory before stead did; absent: nothing. A purge leaves them. */
  strangers?: string[];
}

/**
 * Looks at what can be known before anything is made.
 * @throws UserError if the run directory's path is too long, or the data directory is of a newer version.
 */
export async function checkDataDirectory(paths: Paths): Promise<void> {
  refuseLongSocket(paths);
  const layout = await readLayout(paths);
  refuseNewer(paths, layout?.layoutVersion);
  if (layout === undefined) await refuseTakenPlaces(paths);
}

/** What stead keeps under these names is its own: in the place of something else it could never be told apart again. */
async function refuseTakenPlaces(paths: Paths): Promise<void> {
  if (!existsSync(paths.data)) return;
  const { identity, kubeconfig, network, node, podLogs, pods, pki, services, store, volumes } = paths;
  const places = [store, pki, volumes, pods, podLogs, kubeconfig, network, services, node, identity].map(
    (path) => basename(path),
  );
  const own = new Set([...places, 'cni', 'containerd', 'pod-files']);
  const [taken] = (await strangersIn(paths).catch(() => [])).filter((name) => own.has(name));
  if (taken === undefined) return;
  throw new UserError(
    `${paths.data} is no data directory of stead, and has ${JSON.stringify(taken)} where stead would keep its own: move that away, or give another --data-dir.`,
  );
}

/**
 * Makes the data directory and the run directory.
 * @throws UserError if they cannot be made, or the data directory is of a newer version.
 */
export async function prepareDataDirectory(paths: Paths): Promise<void> {
  await makeDataDirectory(paths);
  await makeDirectory(paths.run).catch((error: unknown) => {
    throw new UserError(`The directory ${paths.run} for sockets cannot be made: ${errorText(error)}.`);
  });
  // A stead that was here before starts on a full disk too: its store holds what it takes to delete something.
  if (!existsSync(paths.store)) await refuseFullDisk(paths);
  const known = await readLayout(paths);
  refuseNewer(paths, known?.layoutVersion);
  if (known) return;
  const layout: Layout = { layoutVersion: LAYOUT_VERSION, strangers: await strangersIn(paths) };
  await writeFile(paths.layout, `${JSON.stringify(layout)}\n`).catch((error: unknown) => {
    throw new UserError(
      `The data directory ${paths.data} cannot be written to (${errorText(error)}): free some space, or give another --data-dir.`,
    );
  });
}

function refuseNewer(paths: Paths, found: number | undefined): void {
  if (found === undefined || found <= LAYOUT_VERSION) return;
  throw new UserError(
    `The data directory ${paths.data} was written by a newer stead (layout ${found}, this one knows ${LAYOUT_VERSION}): install that version, or give another --data-dir.`,
  );
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
    const target = await danglingTarget(data);
    if (target !== undefined) {
      throw new UserError(
        `${what}: it is a link to ${target}, which is not there. Make that directory, or give another --data-dir.`,
      );
    }
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
          `${what} (${code ?? errorText(error)}): run as root, or give a --data-dir that you may write to.`,
        );
    }
  }
}

/** Where a link leads that leads nowhere; undefined if it is no such link. */
async function danglingTarget(path: string): Promise<string | undefined> {
  if (await exists(path)) return undefined;
  return readlink(path).catch(() => undefined);
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

/** As many bytes as the path of a unix socket may have; beyond that it is cut off without a word. */
const MAX_SOCKET_PATH = 107;

function refuseLongSocket({ controlSocket }: Paths): void {
  if (Buffer.byteLength(controlSocket) <= MAX_SOCKET_PATH) return;
  throw new UserError(
    `The path of the control socket ${controlSocket} is longer than ${MAX_SOCKET_PATH} bytes: set TMPDIR to a shorter directory.`,
  );
}

/** What is stead's in a directory without a layout: the log of this start, and what an owner prepares for it. */
const PREPARED: ReadonlySet<string> = new Set(['stead.log', 'registry', 'seccomp']);

/** What lies in a directory that is to become a data directory, and is not stead's. */
async function strangersIn(paths: Paths): Promise<string[]> {
  const names = await readdir(paths.data);
  // A layout that was cut off tells nothing; what lies around it is stead's.
  if (names.includes(basename(paths.layout))) return [];
  return names.filter((name) => !PREPARED.has(name)).sort();
}

/**
 * What a purge removes from the data directory: all but what lay there before stead came.
 * @throws UserError if the directory is none of stead's.
 */
export async function ownEntries(paths: Paths): Promise<string[]> {
  const names = await readdir(paths.data).catch((error: unknown): string[] => {
    const isFile = error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
    return isFile ? [paths.data] : [];
  });
  if (!names.includes(basename(paths.layout))) {
    if (names.every((name) => PREPARED.has(name))) return names;
    throw new UserError(
      `${paths.data} is no data directory of stead: nothing is removed. Is it the right --data-dir?`,
    );
  }
  const strangers = new Set((await readLayout(paths))?.strangers);
  return names.filter((name) => !strangers.has(name));
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

async function readLayout(paths: Paths): Promise<Layout | undefined> {
  let text: string;
  try {
    text = await readFile(paths.layout, 'utf8');
  } catch {
    return undefined;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Written while the machine went down: it holds nothing that cannot be written again.
    return undefined;
  }
  if (isLayout(parsed)) return parsed;
  throw new UserError(`${paths.layout} is not a stead layout file: is ${paths.data} the right --data-dir?`);
}

function isLayout(parsed: unknown): parsed is Layout {
  if (typeof parsed !== 'object' || parsed === null) return false;
  const { layoutVersion, strangers } = { strangers: [], layoutVersion: 0, ...parsed };
  return Number.isInteger(layoutVersion) && layoutVersion > 0 && Array.isArray(strangers);
}
