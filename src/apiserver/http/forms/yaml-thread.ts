// YAML, read and written beside everything else: in a thread that is started when the first longer document comes, has
// limits of time and memory, and is ended when none has come for a while. Documents wait for each other; those that
// would wait behind too many are refused.
import { Worker } from 'node:worker_threads';
import {
  internal,
  notAcceptable,
  requestEntityTooLarge,
  StatusError,
  tooManyRequests,
} from '../../../api/errors.ts';
import type { Status } from '../../../api/generated/types.ts';
import type { Clock } from '../../../base/clock.ts';
import { BODY_LIMIT } from './body-limits.ts';
import { readYaml, writeYaml, type YamlDocument } from './yaml-document.ts';

export type YamlQuestion = { read: string; wantsRepeated: boolean } | { write: string };
export type YamlAnswer = { document: YamlDocument } | { text: string } | { refusal: Status };

/** Shorter texts are read and written at once: a few milliseconds at most. */
const SHORT = 2048;
const MAX_WAITING = 32;
/** The longest that is read takes one or two seconds where nothing else is done. */
const MAX_WORKING_MS = 5_000;
const MAX_MEMORY_MB = 192;
/** What is new; the rest of a worker's memory is small. */
const MAX_NEW_MEMORY_MB = 32;
const IDLE_MS = 30_000;
const RETRY_AFTER_SECONDS = 1;

interface Job {
  question: YamlQuestion;
  resolve(answer: YamlAnswer): void;
  reject(error: Error): void;
}

export class YamlThread {
  readonly #clock: Clock;
  readonly #waiting: Job[] = [];
  #worker: Worker | undefined;
  #job: Job | undefined;
  /** Stops what is timed: the document that is worked on, or the thread's idleness. */
  #cancelTimer: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Reads a document.
   * @param wantsRepeated whether anybody wants to know of keys that are there more than once.
   * @throws StatusError: BadRequest for a text that is no YAML, RequestEntityTooLarge for one that takes too much to
   * read, TooManyRequests when too many wait.
   */
  async read(text: string, wantsRepeated: boolean): Promise<YamlDocument> {
    if (text.length <= SHORT) return readYaml(text, wantsRepeated);
    const answer = await this.#ask({ read: text, wantsRepeated });
    if ('document' in answer) return answer.document;
    throw internal('a YAML document was answered with something else');
  }

  /** Writes a JSON text as a document. @throws StatusError: NotAcceptable for a text that is too long, or as `read`. */
  async write(json: Buffer): Promise<Buffer> {
    if (json.length > BODY_LIMIT) {
      throw notAcceptable(
        `the answer is too long to be served as application/yaml (${json.length} bytes): ask for application/json, or for less with limit`,
      );
    }
    if (json.length <= SHORT) return Buffer.from(writeYaml(json.toString()));
    const answer = await this.#ask({ write: json.toString() });
    if ('text' in answer) return Buffer.from(answer.text);
    throw internal('a JSON text was answered with something else');
  }

  /** Ends the thread, and whatever waits for it: nothing is asked any more. */
  close(): void {
    const refusal = internal('the server is closing');
    for (const job of this.#waiting.splice(0)) job.reject(refusal);
    this.#fail(refusal);
    this.#cancelTimer();
  }

  #ask(question: YamlQuestion): Promise<YamlAnswer> {
    if (this.#waiting.length >= MAX_WAITING) {
      throw tooManyRequests('Too much YAML is asked for, please try again later.', RETRY_AFTER_SECONDS);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#job) return;
    const job = this.#waiting.shift();
    this.#cancelTimer();
    if (!job) {
      this.#cancelTimer = this.#clock.after(IDLE_MS, () => this.#end());
      return;
    }
    this.#job = job;
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(job.question);
    this.#cancelTimer = this.#clock.after(MAX_WORKING_MS, () => this.#fail(tooMuch(`${MAX_WORKING_MS} ms`)));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./yaml-worker.js', import.meta.url), {
      resourceLimits: {
        maxOldGenerationSizeMb: MAX_MEMORY_MB,
        maxYoungGenerationSizeMb: MAX_NEW_MEMORY_MB,
      },
    });
    const isCurrent = (): boolean => worker === this.#worker;
    worker.on('message', (answer: YamlAnswer) => {
      if (isCurrent()) this.#done(answer);
    });
    worker.on('error', (error: Error & { code?: string }) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      if (isCurrent()) this.#fail(outOfMemory ? tooMuch(`${MAX_MEMORY_MB} MiB`) : internal(error.message));
    });
    worker.on('exit', () => {
      if (isCurrent()) this.#fail(internal('the thread that reads and writes YAML ended'));
    });
    return worker;
  }

  #done(answer: YamlAnswer): void {
    const job = this.#job;
    this.#job = undefined;
    // It keeps no process from ending that has nothing else to do.
    this.#worker?.unref();
    if ('refusal' in answer) job?.reject(new StatusError(answer.refusal));
    else job?.resolve(answer);
    this.#next();
  }

  /** Gives up what is worked on, and the thread with it. */
  #fail(error: StatusError): void {
    const job = this.#job;
    this.#job = undefined;
    this.#end();
    job?.reject(error);
    this.#next();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

function tooMuch(limit: string): StatusError {
  return requestEntityTooLarge(`Request entity too large: its YAML takes more than ${limit}`);
}
