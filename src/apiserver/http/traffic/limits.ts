// What is shared out between clients: seats for reads and writes, and open watches.

import { tooManyRequests } from '../../../api/errors.ts';
import type { Verb } from '../../../api/resource.ts';
import type { Clock } from '../../../base/clock.ts';
import { FairQueue, type QueueLimits, type QueueLoad } from './fair-queue.ts';

/** Seats as upstream's --max-requests-inflight and --max-mutating-requests-inflight; queues as its workload levels. */
const QUEUES = { queues: 128, handSize: 6, queueLength: 50, maxWaitMs: 15_000 };
const READS: QueueLimits = { seats: 400, ...QUEUES };
const WRITES: QueueLimits = { seats: 200, ...QUEUES };
const MAX_WATCHES = 20_000;
const MAX_WATCHES_OF_FLOW = 5_000;
/** Logs, commands, forwarded ports, proxied requests: each may hold sockets on both sides. */
const MAX_STREAMS = 2_000;
const MAX_STREAMS_OF_FLOW = 400;
const RETRY_AFTER_SECONDS = 5;

export class Limits {
  readonly #reads: FairQueue;
  readonly #writes: FairQueue;
  readonly #watchesOf = new Map<string, number>();
  readonly #streamsOf = new Map<string, number>();
  readonly #streams = new Map<string, number>();
  #watches = 0;

  constructor(clock: Clock) {
    this.#reads = new FairQueue(READS, clock);
    this.#writes = new FairQueue(WRITES, clock);
  }

  /** What is open now, for /metrics. */
  get load(): { reads: QueueLoad; writes: QueueLoad } {
    return { reads: this.#reads.load, writes: this.#writes.load };
  }

  /** Open streams by kind, for /metrics: those that there ever were. */
  get streams(): ReadonlyMap<string, number> {
    return this.#streams;
  }

  /**
   * Takes a place among the open streams; gives what gives it back, which may be called more than once.
   * @param kind `exec`, `log`, …
   * @throws TooManyRequests.
   */
  openStream(kind: string, flow: string): () => void {
    const open = [...this.#streams.values()].reduce((sum, count) => sum + count, 0);
    if (open >= MAX_STREAMS || (this.#streamsOf.get(flow) ?? 0) >= MAX_STREAMS_OF_FLOW) {
      throw tooManyRequests('Too many open streams, please try again later.', RETRY_AFTER_SECONDS);
    }
    this.#streams.set(kind, (this.#streams.get(kind) ?? 0) + 1);
    this.#streamsOf.set(flow, (this.#streamsOf.get(flow) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#streams.set(kind, (this.#streams.get(kind) ?? 1) - 1);
      const others = (this.#streamsOf.get(flow) ?? 1) - 1;
      if (others > 0) this.#streamsOf.set(flow, others);
      else this.#streamsOf.delete(flow);
    };
  }

  /**
   * Resolves when a request may be served, with what says that it is over.
   * @param flow who asks, and with what program.
   * @throws TooManyRequests.
   */
  async enter(verb: Verb, flow: string): Promise<() => void> {
    if (verb === 'watch') return this.#watch(flow);
    return (verb === 'get' || verb === 'list' ? this.#reads : this.#writes).enter(flow);
  }

  #watch(flow: string): () => void {
    const own = this.#watchesOf.get(flow) ?? 0;
    if (this.#watches >= MAX_WATCHES || own >= MAX_WATCHES_OF_FLOW) {
      throw tooManyRequests('Too many open watches, please try again later.', RETRY_AFTER_SECONDS);
    }
    this.#watches++;
    this.#watchesOf.set(flow, own + 1);
    return () => {
      this.#watches--;
      const left = (this.#watchesOf.get(flow) ?? 1) - 1;
      if (left > 0) this.#watchesOf.set(flow, left);
      else this.#watchesOf.delete(flow);
    };
  }
}
