// The body of a watch response as a stream of events: one JSON document a line. The network is made to wait while
// the reader is behind, so that the backlog stays small.
import type { IncomingMessage } from 'node:http';
import { internal } from '../api/errors.ts';
import type { WatchEvent, WatchStream } from '../api/list-watch.ts';
import type { KubeObject } from '../api/objects.ts';
import { deepFreeze } from '../base/deep-freeze.ts';

const MAX_BACKLOG = 1000;

export class WatchLines<T extends KubeObject> implements WatchStream<T> {
  readonly #response: IncomingMessage;
  #backlog: WatchEvent<T>[] = [];
  #rest = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    // A broken connection is the end of the stream: the reader resumes from the last version it saw.
    for (const event of ['end', 'error', 'close']) response.on(event, () => this.#end());
  }

  async next(): Promise<readonly WatchEvent<T>[] | undefined> {
    while (this.#backlog.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const events = this.#backlog;
    this.#backlog = [];
    if (!this.#ended) this.#response.resume();
    return events;
  }

  stop(): void {
    this.#backlog = [];
    this.#end();
    this.#response.destroy();
  }

  #take(chunk: string): void {
    if (this.#ended) return;
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#backlog.push(parseEvent(line));
    if (this.#backlog.length >= MAX_BACKLOG) this.#response.pause();
    this.#wakeUp();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  try {
    // The server sends events of the resource that was asked for.
    return deepFreeze(JSON.parse(line)) as WatchEvent<T>;
  } catch (error) {
    return { type: 'ERROR', object: internal(`a watch event is not JSON: ${error}`).status };
  }
}
