// Opening the tables of a data directory, and the check that they are ours and not from the future; and what an
// LMDB error means to the user. What the tables mean is records.ts and lmdb.ts.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { errorText } from '../../base/error-text.ts';
import { StoreFormatError, StoreFullError } from '../store.ts';

/** Raised when a version that reads the older tables could not read the newer ones. */
const FORMAT = 1;

/** The file is as large as what is in it; beyond this the map is made anew. */
const MAP_BYTES = 16 * 2 ** 30;

export interface Tables {
  directory: string;
  root: RootDatabase;
  /** By revision. */
  log: Database<Buffer, number>;
  /** By key; in the order of their UTF-8 bytes. */
  keys: Database<Buffer, string>;
  meta: Database<number, 'format' | 'compactRevision' | 'compactedThrough'>;
}

/**
 * Opens the tables in `directory`, or makes them.
 * @throws StoreFormatError if what is there is not a store, or one of a newer version.
 */
export async function openTables(directory: string): Promise<Tables> {
  const file = join(directory, 'data.mdb');
  const isNew = !existsSync(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!isNew && !looksLikeLmdb(file)) throw new StoreFormatError(notAStore(file));
  const tables = openFiles(directory, file);
  keepToOwner(directory);
  const format = tables.meta.get('format');
  if (format === FORMAT) return tables;
  if (format === undefined && (isNew || isEmpty(tables))) {
    await commit(tables, () => void tables.meta.put('format', FORMAT));
    return tables;
  }
  await tables.root.close();
  if (format === undefined) throw new StoreFormatError(notAStore(file));
  throw new StoreFormatError(
    `the store in ${directory} was written by a newer version of stead (format ${format}; this version reads ` +
      `${FORMAT}): start that version or a newer one, or choose another data directory`,
  );
}

/** What is in it, Secrets among it, is for nobody else. LMDB makes its files as the process's umask has it. */
function keepToOwner(directory: string): void {
  chmodSync(directory, 0o700);
  for (const name of ['data.mdb', 'lock.mdb']) {
    const file = join(directory, name);
    if (existsSync(file)) chmodSync(file, 0o600);
  }
}

function openFiles(directory: string, file: string): Tables {
  try {
    const root = open({
      path: directory,
      noSubdir: false,
      encoding: 'binary',
      cache: false,
      // Addresses, not memory: a map that grows is made anew beside the old one, and its pages count twice.
      mapSize: MAP_BYTES,
      // With overlapping sync, readers would see a write before it is durable.
      overlappingSync: false,
      // Batches are made by the caller; batches of its own would leave promises that nobody can catch.
      eventTurnBatching: false,
    });
    return {
      directory,
      root,
      log: root.openDB<Buffer, number>({ name: 'log', encoding: 'binary' }),
      keys: root.openDB<Buffer, string>({ name: 'keys', encoding: 'binary' }),
      meta: root.openDB({ name: 'meta', encoding: 'json' }),
    };
  } catch (error) {
    if (/MDB_(INVALID|CORRUPTED|VERSION_MISMATCH|INCOMPATIBLE)/.test(String(error))) {
      throw new StoreFormatError(notAStore(file), { cause: error });
    }
    throw storeError(directory, error);
  }
}

const MAGIC = 0xbeefc0de;
/** Where LMDB's first page has its magic number: after a page header. */
const MAGIC_OFFSET = 24;

/** LMDB itself crashes the process on a file that is not its own. */
function looksLikeLmdb(file: string): boolean {
  const start = Buffer.alloc(MAGIC_OFFSET + 4);
  const descriptor = openSync(file, 'r');
  try {
    const read = readSync(descriptor, start, 0, start.length, 0);
    return read === 0 || (read === start.length && start.readUInt32LE(MAGIC_OFFSET) === MAGIC);
  } finally {
    closeSync(descriptor);
  }
}

const notAStore = (file: string): string =>
  `${file} is not a store of stead, or is damaged: move it away, or choose another data directory`;

const isEmpty = (tables: Tables): boolean =>
  tables.log.getKeysCount({ limit: 1 }) === 0 && tables.keys.getKeysCount({ limit: 1 }) === 0;

/**
 * Makes all writes of `write` in one transaction: all or nothing, durable when the promise resolves.
 * @throws StoreFullError if there is no room for it.
 */
export async function commit(tables: Tables, write: () => void): Promise<void> {
  try {
    await tables.root.batch(write);
    // The next read must see it.
    tables.root.resetReadTxn();
  } catch (error) {
    throw storeError(tables.directory, await causeOf(error));
  }
}

/** LMDB rejects with a general error first, and tells why in a promise of that error. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}

const EIO = 5;
/** EFBIG, ENOSPC, EDQUOT, MDB_MAP_FULL. */
const NO_ROOM: readonly unknown[] = [27, 28, 122, -30792];
/** Less than this is a full disk to a transaction. */
const MIN_FREE_BYTES = 4 << 20;

function storeError(directory: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // A write that the disk took only half of is an I/O error to LMDB.
  if (NO_ROOM.includes(code) || (code === EIO && freeBytes(directory) < MIN_FREE_BYTES)) {
    const message = `no space left for the store in ${directory}: nothing was written; free space on that disk`;
    return new StoreFullError(message, { cause: error });
  }
  const why = errorText(error);
  return new Error(`the store in ${directory} cannot be read or written: ${why}`, { cause: error });
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** LMDB keeps its own two records of the newest transactions. */
const META_PAGES = 2;
/** What a table is made of. */
const PAGE_COUNTS = ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages'];

/** Bytes of the file that no table uses: later writes go there before the file grows. */
export function reusableBytes({ keys, log, meta, root }: Tables): number {
  const whole: object = root.getStats();
  const free = Object.getOwnPropertyDescriptor(whole, 'free')?.value ?? {};
  const tables: object[] = [whole, free, log.getStats(), keys.getStats(), meta.getStats()];
  const used = tables.flatMap((stats) => PAGE_COUNTS.map((count) => numberIn(stats, count)));
  const pages = numberIn(whole, 'lastPageNumber') + 1 - META_PAGES;
  return Math.max(0, pages - used.reduce((sum, count) => sum + count, 0)) * numberIn(whole, 'pageSize');
}

/** LMDB's binding does not say what is in its statistics. */
function numberIn(stats: object, name: string): number {
  const value: unknown = Object.getOwnPropertyDescriptor(stats, name)?.value;
  return typeof value === 'number' ? value : 0;
}
