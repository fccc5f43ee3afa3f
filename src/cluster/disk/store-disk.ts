// The room that the store has on its disk: measured every second, told before it is used up, and in part held in
// advance, so that on a disk that others have filled objects can still be deleted. As etcd with its space quota, the
// store takes nothing new when it has only that part left.
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { REGISTRY_PREFIX } from '../../apiserver/keys.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { Gauge, type Metrics } from '../../base/metrics.ts';
import { type Store, StoreFullError } from '../../store/store.ts';

const MIB = 1024 * 1024;
/** Held in advance behind the end of the store's file. */
const HELD_BYTES = 16 * MIB;
/** The store grows into what is held; it is held again when so much is missing. */
const HOLD_STEP_BYTES = 4 * MIB;
/** With less room than this, only deletions and what keeps the cluster running are written. */
const LEAST_BYTES = HELD_BYTES;
/** Below this the store says that its disk is nearly full: a fiftieth of the disk, within these bounds. */
const WARN_LEAST_BYTES = 64 * MIB;
const WARN_MOST_BYTES = 256 * MIB;
const WATCH_MS = 1000;
/** How long history is kept while the store takes nothing new: its space is needed. */
const SHORT_HISTORY_MS = 10_000;
/** How much a changed object may grow by when nothing new is taken: a status, a deletion's time. */
const GROWTH_BYTES = 4096;
/** What a write takes beside its value: the pages that are copied. */
const WRITE_BYTES = 16 * 1024;
const LEASES = `${REGISTRY_PREFIX}coordination.k8s.io/leases/`;
/** They tell what becomes of a full disk, and go by themselves: they may take half of what is kept. */
const EVENTS = `${REGISTRY_PREFIX}core/events/`;

/** How much room there is, in bytes. */
export interface StoreRoom {
  /** On the disk, for anybody. */
  available: number;
  /** Of the whole disk. */
  capacity: number;
  /** What the store has beside it: held in advance, or free within its file. */
  own: number;
}

export class StoreDisk {
  readonly #directory: string;
  readonly #store: Store;
  readonly #run: RunCommand;
  readonly #clock: Clock;
  readonly #log: Log;
  #room: StoreRoom = { available: 0, capacity: 0, own: Number.POSITIVE_INFINITY };
  /** Written since the room was measured. */
  #spent = 0;
  #measuring: Promise<void> | undefined;
  #refusing = false;
  #cannotHold = false;

  /** @param directory of the store, an LMDB one. */
  constructor(directory: string, store: Store, run: RunCommand, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#store = store;
    this.#run = run;
    this.#clock = clock;
    this.#log = log;
  }

  get room(): StoreRoom {
    return this.#room;
  }

  /** Why the store is not well, for /readyz; undefined when it is. */
  complaint(): string | undefined {
    const left = this.#left();
    if (left >= warnBelow(this.#room.capacity)) return undefined;
    return `the disk of ${this.#directory} is nearly full: ${mib(left)} are left for the store${
      left < LEAST_BYTES ? ', which takes nothing new' : ''
    }; free space on that disk`;
  }

  /** For people: how much room there is. */
  describe(): string {
    const { available, capacity } = this.#room;
    return this.complaint() ?? `${mib(available)} of ${mib(capacity)} free on its disk`;
  }

  /** Shows the numbers. */
  meter(metrics: Metrics): void {
    const gauge = (name: string, help: string, read: () => number): void =>
      void metrics.add(new Gauge(name, help, () => [[{}, read()]]));
    gauge(
      'stead_store_disk_available_bytes',
      'Bytes available on the disk of the store.',
      () => this.#room.available,
    );
    gauge(
      'stead_store_reserved_bytes',
      'Bytes that the store has beside that: held in advance or free within its file.',
      () => this.#room.own,
    );
    gauge('stead_store_disk_nearly_full', 'Whether the store warns that its disk is nearly full.', () =>
      this.complaint() === undefined ? 0 : 1,
    );
  }

  /** The same store, which takes nothing new when there is hardly any room. */
  guarded(): Store {
    const store = this.#store;
    return {
      revision: () => store.revision(),
      get: (key) => store.get(key),
      list: (prefix, options) => store.list(prefix, options),
      count: (prefix) => store.count(prefix),
      reusableBytes: () => store.reusableBytes(),
      put: async (key, value, expectedRevision) => {
        if (this.#left() < warnBelow(this.#room.capacity)) await this.#admit(key, value, expectedRevision);
        this.#spent += value.byteLength + WRITE_BYTES;
        return store.put(key, value, expectedRevision);
      },
      delete: (key, expectedRevision) => store.delete(key, expectedRevision),
      watch: (options) => store.watch(options),
      compact: (revision) => store.compact(revision),
      close: () => store.close(),
    };
  }

  /** Looks once. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  /** Looks again and again until the signal. */
  async watch(signal: AbortSignal): Promise<void> {
    let history = { revision: 0, atMs: this.#clock.now() };
    while (!signal.aborted) {
      try {
        await this.measure();
        if (this.#clock.now() - history.atMs >= SHORT_HISTORY_MS) {
          if (this.#refusing) await this.#store.compact(history.revision);
          history = { revision: await this.#store.revision(), atMs: this.#clock.now() };
        }
      } catch (error) {
        this.#log.error('looking after the disk of the store failed', error);
      }
      await sleep(this.#clock, WATCH_MS, signal);
    }
  }

  /** @throws StoreFullError if there is no room for this write. */
  async #admit(key: string, value: Uint8Array, expectedRevision: number): Promise<void> {
    await this.measure();
    const left = this.#left();
    if (left >= LEAST_BYTES || key.startsWith(LEASES)) return;
    if (left >= LEAST_BYTES / 2 && key.startsWith(EVENTS)) return;
    const current = await this.#store.get(key);
    // What the store refuses anyway it refuses with a better reason: that the object is there, or has changed.
    if ((current?.revision ?? 0) !== expectedRevision) return;
    if (current && value.byteLength <= current.value.byteLength + GROWTH_BYTES) return;
    throw new StoreFullError(
      `no space left for the store in ${this.#directory}: what is left is kept for deletions and ` +
        'status; nothing was written; delete objects, or free space on that disk',
    );
  }

  async #measure(): Promise<void> {
    const file = join(this.#directory, 'data.mdb');
    let held = await heldIn(file);
    let disk = await diskOf(this.#directory);
    const missing = Math.min(HELD_BYTES - held, disk.available);
    if (missing >= HOLD_STEP_BYTES && !this.#cannotHold) {
      await this.#hold(file, held + missing);
      held = await heldIn(file);
      disk = await diskOf(this.#directory);
    }
    this.#room = { ...disk, own: held + this.#store.reusableBytes() };
    this.#spent = 0;
    this.#tell();
  }

  #left(): number {
    return this.#room.available + this.#room.own - this.#spent;
  }

  #tell(): void {
    const refusing = this.#left() < LEAST_BYTES;
    if (refusing === this.#refusing) return;
    this.#refusing = refusing;
    if (refusing)
      this.#log.warn('the disk is full: the store takes nothing new', { directory: this.#directory });
    else this.#log.info('the store has room again', { directory: this.#directory });
  }

  /** Reserves blocks behind the end of the file. Where the file system cannot do that, nothing is held. */
  async #hold(file: string, bytes: number): Promise<void> {
    const { size } = await stat(file);
    try {
      const range = ['--offset', String(size), '--length', String(bytes)];
      await this.#run('fallocate', ['--keep-size', ...range, file]);
    } catch (error) {
      // That there was less than it seemed is found out again the next time.
      this.#cannotHold = !/no space/i.test(String(error));
      if (!this.#cannotHold) return;
      this.#log.info('no space can be held for the store on this disk', { error: String(error) });
    }
  }
}

async function diskOf(directory: string): Promise<{ available: number; capacity: number }> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { available: bavail * bsize, capacity: blocks * bsize };
}

const BLOCK_BYTES = 512;

/** What is allocated to the file beyond its end. */
async function heldIn(file: string): Promise<number> {
  const { blocks, size } = await stat(file);
  return Math.max(0, blocks * BLOCK_BYTES - size);
}

export function warnBelow(capacityBytes: number): number {
  return Math.min(Math.max(capacityBytes / 50, WARN_LEAST_BYTES), WARN_MOST_BYTES);
}

function mib(bytes: number): string {
  return `${Math.max(0, Math.floor(bytes / MIB))} MiB`;
}
