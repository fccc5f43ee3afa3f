// The store on disk. A write is decided against what is durable, put into the next transaction together with all
// others that wait, and acknowledged when that transaction is on disk; only then do readers and watchers see it.
// No value is cached here: the operating system caches the file.
import type { FileLock } from '../file-lock.ts';
import type {
  Entry,
  ListOptions,
  ListResult,
  Store,
  StoreEvent,
  WatchOptions,
  WriteResult,
} from '../store.ts';
import { CompactedError, StoreFullError } from '../store.ts';
import { Watchers } from '../watchers.ts';
import { compactionStep } from './compaction.ts';
import { lockStore } from './lock.ts';
import type { KeyRecord } from './records.ts';
import { decodeKeyRecord, decodeLogRecord, encodeKeyRecord, encodeLogRecord } from './records.ts';
import type { Tables } from './tables.ts';
import { commit, openTables, reusableBytes } from './tables.ts';

/** How many writes go into one transaction. */
const MAX_BATCH = 512;
/** How many writes may wait; the API server admits fewer requests than that. */
const MAX_WAITING = 50_000;
/** A little below what LMDB takes with its pages of 4 KiB. */
const MAX_KEY_BYTES = 1900;

/** A write that waits for its transaction. Without a value it is a deletion. */
interface Write {
  key: string;
  value: Uint8Array | undefined;
  expectedRevision: number;
  resolve(result: WriteResult): void;
  reject(error: unknown): void;
}

/** A write that has been decided: done at a revision with this event, or refused. */
interface Outcome {
  write: Write;
  result: WriteResult;
  record?: KeyRecord & { previous: number };
}

/**
 * Opens the store in a directory, which is made if it is not there. It is open once at a time, on the whole machine: two
 * that decide writes would give one revision to two keys.
 * @throws StoreInUseError if it is open already; StoreFormatError if the directory holds something else, or the store
 *   of a newer version.
 */
export async function openLmdbStore(directory: string): Promise<Store> {
  const lock = await lockStore(directory);
  try {
    return new LmdbStore(await openTables(directory), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

const closed = (): Error => new Error('the store is closed');

class LmdbStore implements Store {
  readonly #tables: Tables;
  readonly #lock: FileLock;
  readonly #watchers = new Watchers();
  readonly #writes: Write[] = [];
  /** Compactions that wait, each a function that takes one step and says whether more remain. */
  readonly #steps: (() => Promise<boolean>)[] = [];
  /** The newest revision that is durable and that watchers have been told of. All reads are at most of this one. */
  #revision: number;
  #compacted: number;
  #committing: Promise<void> | undefined;
  #closed = false;

  constructor(tables: Tables, lock: FileLock) {
    this.#tables = tables;
    this.#lock = lock;
    this.#compacted = tables.meta.get('compactRevision') ?? 0;
    let last = 0;
    for (const revision of tables.log.getKeys({ reverse: true, limit: 1 })) last = revision;
    // The newest record may have been a deletion that was compacted away.
    this.#revision = Math.max(last, this.#compacted);
  }

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#revision;
  }

  reusableBytes(): number {
    return this.#closed ? 0 : reusableBytes(this.#tables);
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    const record = this.#tables.keys.get(key);
    return record && this.#entryAt(key, decodeKeyRecord(record), this.#revision);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#mustBeOpen();
    const revision = options.revision ?? this.#revision;
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const entries: Entry[] = [];
    for (const { key, record } of this.#keysBelow(prefix, options.after)) {
      const entry = this.#entryAt(key, record, revision);
      if (!entry) continue;
      if (entries.length >= limit) return { entries, revision, more: true };
      entries.push(entry);
    }
    return { entries, revision, more: false };
  }

  async count(prefix: string): Promise<number> {
    this.#mustBeOpen();
    let count = 0;
    for (const { key, record } of this.#keysBelow(prefix, undefined)) {
      const settled = record.revision <= this.#revision;
      if (settled ? !record.deleted : this.#entryAt(key, record, this.#revision)) count++;
    }
    return count;
  }

  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    return this.#write(key, value, expectedRevision);
  }

  delete(key: string, expectedRevision: number): Promise<WriteResult> {
    return this.#write(key, undefined, expectedRevision);
  }

  watch(options: WatchOptions): () => void {
    if (this.#closed) return this.#watchers.refuse(options, closed());
    const { prefix, afterRevision } = options;
    if (afterRevision < this.#compacted)
      return this.#watchers.refuse(options, new CompactedError(this.#compacted));
    let backlog: StoreEvent[];
    try {
      backlog = [...this.#eventsBetween(afterRevision, this.#revision, prefix)];
    } catch (error) {
      return this.#watchers.refuse(options, error instanceof Error ? error : new Error(String(error)));
    }
    return this.#watchers.add(options, backlog, this.#revision);
  }

  /** What was written below a prefix after one revision and up to another. */
  *#eventsBetween(after: number, through: number, prefix: string): Generator<StoreEvent> {
    for (const { key: revision, value } of this.#tables.log.getRange({
      start: after + 1,
      end: through + 1,
    })) {
      const record = decodeLogRecord(value);
      if (!record.key.startsWith(prefix)) continue;
      const written = record.type === 'put' ? record.value : undefined;
      const event = this.#eventOf(record.key, written, { ...record, revision });
      if (event) yield event;
    }
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    const target = Math.min(revision, this.#revision);
    if (target <= this.#compacted) return;
    // From here on nobody may read what the steps are going to remove.
    this.#compacted = target;
    await new Promise<void>((resolve, reject) => {
      this.#steps.push(async () => {
        try {
          if (await compactionStep(this.#tables, target)) return true;
          resolve();
        } catch (error) {
          reject(error);
        }
        return false;
      });
      this.#start();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#committing;
    this.#watchers.end(closed());
    await this.#tables.root.close();
    this.#lock.release();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw closed();
  }

  async #write(key: string, value: Uint8Array | undefined, expectedRevision: number): Promise<WriteResult> {
    this.#mustBeOpen();
    const keyBytes = Buffer.byteLength(key);
    // Found only in the middle of a transaction, a bad key would spoil the writes of others.
    if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES) {
      throw new RangeError(`a key must have 1 to ${MAX_KEY_BYTES} bytes; this one has ${keyBytes}`);
    }
    if (this.#writes.length >= MAX_WAITING) {
      throw new StoreFullError(
        `${MAX_WAITING} writes wait for the disk already: nothing was written; try again`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#writes.push({ key, value, expectedRevision, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    this.#committing ??= this.#commitAll();
  }

  /** Commits until nothing waits. Never rejects. */
  async #commitAll(): Promise<void> {
    // All that is written in this turn goes into the first transaction.
    await undefined;
    while (this.#writes.length > 0 || this.#steps.length > 0) {
      const step = this.#steps[0];
      if (step && !(await step())) this.#steps.shift();
      const writes = this.#writes.splice(0, MAX_BATCH);
      if (writes.length > 0) await this.#commit(writes);
    }
    this.#committing = undefined;
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    try {
      const outcomes = this.#decide(writes);
      const done = outcomes.filter((outcome) => outcome.record);
      if (done.length > 0) await commit(this.#tables, () => this.#putRecords(done));
      this.#revision += done.length;
      if (done.length > 0) this.#publish(done);
      for (const { write, result } of outcomes) write.resolve(result);
    } catch (error) {
      for (const write of writes) write.reject(error);
    }
  }

  /** Decides each write in turn, as if those before it in the batch were done. */
  #decide(writes: readonly Write[]): Outcome[] {
    const newest = new Map<string, { record: KeyRecord; entry: Entry | undefined }>();
    let revision = this.#revision;
    return writes.map((write): Outcome => {
      const { key, value, expectedRevision } = write;
      const ahead = newest.get(key);
      const bytes = ahead ? undefined : this.#tables.keys.get(key);
      const old = ahead?.record ?? (bytes && decodeKeyRecord(bytes));
      const exists = old !== undefined && !old.deleted;
      const holds = exists
        ? old.revision === expectedRevision
        : expectedRevision === 0 && value !== undefined;
      if (!holds) {
        const current = ahead ? ahead.entry : old && this.#entryAt(key, old, old.revision);
        return { write, result: { ok: false, current } };
      }
      revision++;
      const record = {
        revision,
        createRevision: exists ? old.createRevision : revision,
        deleted: value === undefined,
        previous: old?.revision ?? 0,
      };
      const entry = value && { key, value, revision, createRevision: record.createRevision };
      newest.set(key, { record, entry });
      return { write, result: { ok: true, revision }, record };
    });
  }

  #putRecords(done: readonly Outcome[]): void {
    for (const { write, record } of done) {
      if (!record) continue;
      const { key, value } = write;
      const type = value ? 'put' : 'delete';
      const bytes = encodeLogRecord({ ...record, type, key, value: value ?? new Uint8Array() });
      // The transaction as a whole is waited for, and fails if one of these does.
      void this.#tables.log.put(record.revision, bytes);
      void this.#tables.keys.put(key, encodeKeyRecord(record));
    }
  }

  #publish(done: readonly Outcome[]): void {
    const events: StoreEvent[] = [];
    for (const { write, record } of done) {
      if (!record || !this.#watchers.wants(write.key)) continue;
      const event = this.#eventOf(write.key, write.value, record);
      if (event) events.push(event);
    }
    this.#watchers.publish(events, this.#revision);
  }

  /** The event of a write; none for a deletion whose previous entry is gone, which does not happen. */
  #eventOf(
    key: string,
    value: Uint8Array | undefined,
    record: { revision: number; createRevision: number; previous: number },
  ): StoreEvent | undefined {
    const { revision, createRevision } = record;
    if (value) return { type: 'put', entry: { key, value, revision, createRevision } };
    const previous = this.#entryOf(record.previous);
    return previous && { type: 'delete', key, revision, previous };
  }

  /** The entry that was written at a revision; undefined for 0, for deletions, and for what was compacted away. */
  #entryOf(revision: number): Entry | undefined {
    const bytes = revision > 0 ? this.#tables.log.get(revision) : undefined;
    if (!bytes) return undefined;
    const { type, key, value, createRevision } = decodeLogRecord(bytes);
    return type === 'put' ? { key, value, revision, createRevision } : undefined;
  }

  /** What a key held at a revision, following its history back from the newest record. */
  #entryAt(key: string, newest: KeyRecord, revision: number): Entry | undefined {
    let at = newest.revision;
    if (at <= revision) return newest.deleted ? undefined : this.#entryOf(at);
    while (at > revision) {
      const bytes = this.#tables.log.get(at);
      if (!bytes) return undefined;
      at = decodeLogRecord(bytes).previous;
    }
    const entry = this.#entryOf(at);
    return entry?.key === key ? entry : undefined;
  }

  *#keysBelow(prefix: string, after: string | undefined): Generator<{ key: string; record: KeyRecord }> {
    const start = after !== undefined && after > prefix ? after : prefix;
    for (const { key, value } of this.#tables.keys.getRange(start === '' ? {} : { start })) {
      if (key === after) continue;
      if (!key.startsWith(prefix)) return;
      yield { key, record: decodeKeyRecord(value) };
    }
  }
}
