// The store's contract: etcd's model, as small as it can be. One ever-rising revision for the whole store,
// compare-and-set on the revision of a key, consistent lists, a watch from any revision that was not compacted
// away. The store may be elsewhere, and others may write to it: everything takes time and may fail, and what was
// written is seen when a watch tells of it. Values are bytes: what they mean is the API server's business. Every
// backend passes contract.ts.

/** A key with the value it has at one revision. */
export interface Entry {
  key: string;
  value: Uint8Array;
  /** The revision at which the key was last written. */
  revision: number;
  /** The revision at which the key was created (since it last did not exist). */
  createRevision: number;
}

/** One change, as a watch delivers it. */
export type StoreEvent =
  | { type: 'put'; entry: Entry }
  | { type: 'delete'; key: string; revision: number; previous: Entry };

export interface ListOptions {
  /** At most so many entries. */
  limit?: number | undefined;
  /** Only keys strictly greater than this one: where the previous page ended. */
  after?: string | undefined;
  /** The list as it was at this revision; the newest if left out. Throws `CompactedError` if it is gone. */
  revision?: number | undefined;
}

export interface ListResult {
  entries: Entry[];
  /** The revision at which the list is true: `options.revision`, or the store's newest. */
  revision: number;
  /** Whether keys beyond the last entry remain. */
  more: boolean;
}

/** How a conditional write ended: done at a revision, or refused with what the key holds now. */
export type WriteResult = { ok: true; revision: number } | { ok: false; current: Entry | undefined };

export interface WatchOptions {
  /** Keys that begin with this. */
  prefix: string;
  /** Events with a revision strictly greater than this. */
  afterRevision: number;
  /**
   * Called with every batch of events, in order of revision, none missed and none twice, and only when they are
   * durable; before or after the write that caused them resolves.
   */
  onEvents(events: readonly StoreEvent[]): void;
  /**
   * Called when the watch has told of everything up to a revision, where events do not say so by themselves. Whoever
   * has been told a revision by `revision` hears soon that it is reached, by events or by this.
   */
  onProgress?(revision: number): void;
  /**
   * Called once when the watch has ended by itself: with `CompactedError` if events that it should tell of are gone, and
   * with another error if the store was lost or closed; it can then begin again after what it told last.
   */
  onEnd(reason: Error): void;
}

/** The revision asked for has been compacted away. */
export class CompactedError extends Error {
  readonly compactRevision: number;
  constructor(compactRevision: number) {
    super(`required revision has been compacted; the oldest kept is ${compactRevision}`);
    this.name = 'CompactedError';
    this.compactRevision = compactRevision;
  }
}

/** The disk (or the store's own limit) is full: nothing was written. */
export class StoreFullError extends Error {}

/** The data directory was written by a newer version, or is not a store. */
export class StoreFormatError extends Error {}

/** Another process has the store open. */
export class StoreInUseError extends Error {
  /** Which one; undefined if it has not said so yet. */
  readonly pid: number | undefined;

  constructor(directory: string, pid: number | undefined) {
    super(
      `the store in ${directory} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}`,
    );
    this.name = 'StoreInUseError';
    this.pid = pid;
  }
}

export interface Store {
  /** The newest revision, of whoever's writes; 0 for an empty store. */
  revision(): Promise<number>;
  get(key: string): Promise<Entry | undefined>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /** The number of keys below a prefix. */
  count(prefix: string): Promise<number>;
  /**
   * Writes the value if the key is at `expectedRevision` (0: the key must not exist). Resolves when the write is
   * durable; a refused write changes nothing.
   */
  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult>;
  /** Deletes the key if it is at `expectedRevision`; the deletion has a revision of its own. */
  delete(key: string, expectedRevision: number): Promise<WriteResult>;
  /** Starts a watch; returns what ends it, and then it tells nothing more. It never throws: see `onEnd`. */
  watch(options: WatchOptions): () => void;
  /** Forgets history before `revision`: older lists and watches fail with `CompactedError` from then on. */
  compact(revision: number): Promise<void>;
  /** Bytes that can be written without the store taking more of its disk; infinite where there is no disk. */
  reusableBytes(): number;
  close(): Promise<void>;
}
