// Reads the log of one container for `kubectl logs`: tail, since, timestamps, a limit of bytes, and following it
// across rotation (kubelet kuberuntime/logs/logs.go).
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LogOptions } from '../../api/between/node-streams.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { parseLogLine } from './log-line.ts';

const BLOCK = 64 * 1024;
const FOLLOW_MS = 100;
const LINE_FEED = 0x0a;
/** The runtime cuts what it writes into lines of 16 KiB: what is longer is no log, and is left out. */
const MAX_LINE_BYTES = 256 * 1024;

/**
 * The log's content, in pieces.
 * @param path the log that is written to now; rotated ones lie beside it.
 * @param isRunning whether more may be written; once it is false, following ends at the end of the file.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  clock: Clock,
  isRunning: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const format = new LineFormat(options);
  for (const part of await startOf(path, options.tailLines)) {
    const isCurrent = part.path === path;
    const pieces =
      isCurrent && options.follow
        ? follow(part.path, part.offset, clock, isRunning, signal)
        : wholeFile(part.path, part.offset);
    for await (const lines of pieces) {
      if (signal.aborted) return;
      const output = format.take(lines);
      if (output.length > 0) yield output;
      if (format.full) return;
    }
  }
}

/** What a container wrote last: of its last `lines` log lines the last `bytes` (kubelet's readLastStringFromContainerLogs). */
export async function endOfLog(path: string, lines: number, bytes: number): Promise<Buffer> {
  let end: Buffer = Buffer.alloc(0);
  const format = new LineFormat({ follow: false, previous: false, timestamps: false });
  for (const part of await startOf(path, lines)) {
    for await (const pieces of wholeFile(part.path, part.offset)) {
      end = Buffer.concat([end, format.take(pieces)]);
      end = end.subarray(Math.max(0, end.length - bytes));
    }
  }
  return end;
}

/** Turns log lines into what the user sees, up to the limit of bytes. */
class LineFormat {
  readonly #options: LogOptions;
  #left: number;
  #atLineStart = true;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  take(lines: readonly Buffer[]): Buffer {
    const { sinceTimeMs, timestamps } = this.#options;
    const output: Buffer[] = [];
    for (const raw of lines) {
      const line = parseLogLine(raw);
      if (line === undefined) continue;
      if (sinceTimeMs !== undefined && Date.parse(line.time) < sinceTimeMs) continue;
      if (timestamps && this.#atLineStart) output.push(Buffer.from(`${line.time} `));
      output.push(line.content);
      if (!line.partial) output.push(Buffer.from([LINE_FEED]));
      this.#atLineStart = !line.partial;
    }
    const all = Buffer.concat(output);
    const allowed = all.length > this.#left ? all.subarray(0, this.#left) : all;
    this.#left -= allowed.length;
    return allowed;
  }
}

/** Cuts what is read into lines; keeps an unfinished one for the next time. */
class LineCutter {
  #rest: Buffer = Buffer.alloc(0);

  cut(chunk: Buffer): Buffer[] {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const lines: Buffer[] = [];
    let at = 0;
    for (let end = all.indexOf(LINE_FEED, at); end >= 0; end = all.indexOf(LINE_FEED, at)) {
      lines.push(all.subarray(at, end));
      at = end + 1;
    }
    this.#rest = all.length - at > MAX_LINE_BYTES ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
    return lines;
  }
}

async function readAt(file: FileHandle, offset: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, offset);
  return buffer.subarray(0, bytesRead);
}

async function* wholeFile(path: string, offset: number): AsyncGenerator<Buffer[]> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return;
  try {
    const cutter = new LineCutter();
    for (let at = offset; ; ) {
      const chunk = await readAt(file, at);
      if (chunk.length === 0) return;
      at += chunk.length;
      yield cutter.cut(chunk);
    }
  } finally {
    await file.close();
  }
}

async function* follow(
  path: string,
  offset: number,
  clock: Clock,
  isRunning: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer[]> {
  let at = offset;
  let file = await open(path, 'r').catch(() => undefined);
  const cutter = new LineCutter();
  try {
    while (!signal.aborted) {
      // Asked before reading: what was written until the end is then surely read.
      const goesOn = isRunning();
      const chunk = file ? await readAt(file, at) : Buffer.alloc(0);
      if (chunk.length > 0) {
        at += chunk.length;
        yield cutter.cut(chunk);
        continue;
      }
      const next = await openIfOther(path, file);
      if (next !== undefined) {
        await file?.close();
        file = next;
        at = 0;
        continue;
      }
      if (!goesOn) return;
      await sleep(clock, FOLLOW_MS, signal);
    }
  } finally {
    await file?.close();
  }
}

/** The file that is at the path now, if it is not the open one: the log was rotated. */
async function openIfOther(path: string, file: FileHandle | undefined): Promise<FileHandle | undefined> {
  const current = await stat(path).catch(() => undefined);
  if (current === undefined) return undefined;
  if (file !== undefined && (await file.stat()).ino === current.ino) return undefined;
  return open(path, 'r').catch(() => undefined);
}

/** Rotated logs of a container, oldest first. */
export async function rotatedLogs(path: string): Promise<string[]> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => join(directory, name));
}

/** Which files to read from where, oldest first; with `tailLines`, only the last lines of all of them. */
async function startOf(
  path: string,
  tailLines: number | undefined,
): Promise<Array<{ path: string; offset: number }>> {
  const files = [...(await rotatedLogs(path)), path];
  if (tailLines === undefined) return files.map((file) => ({ path: file, offset: 0 }));
  const parts: Array<{ path: string; offset: number }> = [];
  let wanted = tailLines;
  for (const file of files.reverse()) {
    const { found, offset } = await lastLines(file, wanted);
    parts.unshift({ path: file, offset });
    wanted -= found;
    if (wanted <= 0) break;
  }
  return parts;
}

/** Where the last `count` lines of a file begin, and how many there are if it has fewer. */
async function lastLines(path: string, count: number): Promise<{ found: number; offset: number }> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return { found: 0, offset: 0 };
  try {
    const { size } = await file.stat();
    if (count <= 0) return { found: 0, offset: size };
    let found = 0;
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - BLOCK);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
      // The line feed at the very end closes the last line and begins none.
      for (let at = bytesRead - 1; at >= 0; at--) {
        if (buffer[at] !== LINE_FEED || start + at === size - 1) continue;
        if (++found === count) return { found, offset: start + at + 1 };
      }
      end = start;
    }
    return { found: size > 0 ? found + 1 : 0, offset: 0 };
  } finally {
    await file.close();
  }
}
