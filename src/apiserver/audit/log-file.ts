// The audit log as a file: one event a line, a new file when one is full, the oldest removed. Whoever writes does not
// wait for the disk; what the disk does not take in time is dropped, and said so.
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Counter, type Metrics } from '../../base/metrics.ts';
import type { AuditSink } from './auditor.ts';

/** What may wait for the disk. */
export const BACKLOG_BYTES = 16 * 1024 * 1024;

export interface AuditLogOptions {
  path: string;
  /** A file is closed, and another begun, before it is larger than this. */
  maxBytes: number;
  /** Older files that are kept beside the current one; 0: all. */
  maxBackups: number;
}

export class AuditLogFile implements AuditSink {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #errors: Counter;
  #file: FileHandle;
  #size: number;
  #backlog: string[] = [];
  #backlogBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  private constructor(
    options: AuditLogOptions,
    file: FileHandle,
    size: number,
    { clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics },
  ) {
    this.#options = options;
    this.#file = file;
    this.#size = size;
    this.#clock = clock;
    this.#log = log;
    this.#errors = metrics.add(
      new Counter(
        'apiserver_audit_error_total',
        'Counter of audit events that failed to be audited properly.',
      ),
    );
  }

  /** Opens the file, and makes its directory. Rejects with Node's error when it cannot be written. */
  static async open(
    options: AuditLogOptions,
    context: { clock: Clock; log: Log; metrics: Metrics },
  ): Promise<AuditLogFile> {
    await mkdir(dirname(options.path), { recursive: true });
    const file = await openForAppend(options.path);
    return new AuditLogFile(options, file, (await file.stat()).size, context);
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#backlogBytes + bytes > BACKLOG_BYTES) {
      this.#drop(1);
      return;
    }
    this.#backlog.push(line);
    this.#backlogBytes += bytes;
    this.#writing ??= this.#drain();
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    // What comes in this turn of the loop goes out in one write.
    await Promise.resolve();
    while (this.#backlog.length > 0) {
      const lines = this.#backlog;
      const bytes = this.#backlogBytes;
      this.#backlog = [];
      try {
        await this.#append(Buffer.from(`${lines.join('\n')}\n`));
        this.#tellDropped();
      } catch (error) {
        this.#drop(lines.length);
        this.#log.error('the audit log cannot be written', error, { path: this.#options.path });
      }
      this.#backlogBytes -= bytes;
    }
    this.#writing = undefined;
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#size > 0 && this.#size + chunk.length > this.#options.maxBytes) await this.#rotate();
    await this.#file.appendFile(chunk);
    this.#size += chunk.length;
  }

  async #rotate(): Promise<void> {
    const { path, maxBackups } = this.#options;
    const extension = extname(path);
    const stem = basename(path, extension);
    const directory = dirname(path);
    const time = new Date(this.#clock.now()).toISOString().replace(/:/g, '-').replace('Z', '');
    await this.#file.close();
    await rename(path, join(directory, `${stem}-${time}${extension}`));
    this.#file = await openForAppend(path);
    this.#size = 0;
    if (maxBackups === 0) return;
    const backups = (await readdir(directory)).filter((name) => isBackup(name, stem, extension)).sort();
    for (const old of backups.slice(0, -maxBackups)) await unlink(join(directory, old));
  }

  #drop(events: number): void {
    if (this.#dropped === 0) {
      this.#log.warn('audit events are dropped: the disk does not keep up', { path: this.#options.path });
    }
    this.#dropped += events;
    this.#errors.add({ plugin: 'log' }, events);
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#log.warn('audit events were dropped', { path: this.#options.path, events: this.#dropped });
    this.#dropped = 0;
  }
}

/** Readable by nobody else: events hold what requests hold. */
function openForAppend(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}

function isBackup(name: string, stem: string, extension: string): boolean {
  const time = name.slice(stem.length + 1, extension ? -extension.length : undefined);
  return (
    name.startsWith(`${stem}-`) &&
    name.endsWith(extension) &&
    /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/.test(time)
  );
}
