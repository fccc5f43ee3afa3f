// What happened in a run, in order: a hash over all of it, by which two runs are told apart, and the last lines of it,
// by which a failure is understood.
import { createHash, type Hash } from 'node:crypto';

const KEPT_LINES = 300;

export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  #lines: string[] = [];
  #count = 0;

  /** @param print is given every line as it comes. */
  constructor(now: () => number, print?: (line: string) => void) {
    this.#now = now;
    this.#startMs = now();
    this.#print = print;
  }

  /** @param bytes part of what happened, but not of what is shown. */
  note(text: string, bytes?: Uint8Array): void {
    const line = `${((this.#now() - this.#startMs) / 1000).toFixed(3).padStart(9)} ${text}`;
    this.#hash.update(line);
    if (bytes) this.#hash.update(bytes);
    this.#count++;
    this.#print?.(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  get count(): number {
    return this.#count;
  }

  last(lines = KEPT_LINES): string[] {
    return this.#lines.slice(-lines);
  }

  /** To be asked for once, at the end. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
