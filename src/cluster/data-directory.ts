// The data directory as a whole: makes it, and refuses one that a newer stead has written.
import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import type { Paths } from './paths.ts';
import { UserError } from './user-error.ts';

/** Raised when an older stead could no longer read what a newer one has written. */
const LAYOUT_VERSION = 1;

/** @throws UserError if the directory cannot be made, or is of a newer version. */
export async function prepareDataDirectory(paths: Paths): Promise<void> {
  try {
    await mkdir(paths.data, { recursive: true, mode: 0o755 });
    await mkdir(paths.run, { recursive: true, mode: 0o755 });
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error;
    if (why === 'ENOSPC') {
      throw new UserError(
        `No space is left for the data directory ${paths.data}: free some, or give another --data-dir.`,
      );
    }
    throw new UserError(
      `The data directory ${paths.data} cannot be made (${why}): run as root, or give a --data-dir that you may write to.`,
    );
  }
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
