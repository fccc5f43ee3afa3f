// How many requests are served at once, and who is next. A request belongs to a flow (who asks, and with what
// program); a flow that asks for too much waits in a few queues of its own and leaves the others to the rest, so that
// nobody starves anybody. In the spirit of apiserver pkg/util/flowcontrol/fairqueuing: seats, queues, shuffle sharding.

import { tooManyRequests } from '../../../api/errors.ts';
import type { CancelTimer, Clock } from '../../../base/clock.ts';

export interface QueueLimits {
  /** Requests served at once. */
  seats: number;
  queues: number;
  /** Queues that one flow may use. */
  handSize: number;
  /** Requests that may wait in one queue. */
  queueLength: number;
  /** How long one may wait. */
  maxWaitMs: number;
}

export interface QueueLoad {
  seats: number;
  serving: number;
  waiting: number;
  started: number;
  refusedFull: number;
  refusedLate: number;
}

const RETRY_AFTER_SECONDS = 1;
const REMEMBERED_HANDS = 1000;

interface Waiting {
  start(): void;
  cancelTimer: CancelTimer;
}

interface Queue {
  waiting: Set<Waiting>;
  /** Requests from this queue that are being served. */
  serving: number;
  /** When one of it was started last, in starts. */
  lastStart: number;
}

export class FairQueue {
  readonly #limits: QueueLimits;
  readonly #clock: Clock;
  readonly #queues: Queue[];
  readonly #hands = new Map<string, readonly Queue[]>();
  #serving = 0;
  #waiting = 0;
  #starts = 0;
  #full = 0;
  #timedOut = 0;

  constructor(limits: QueueLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#queues = Array.from({ length: limits.queues }, () => ({
      waiting: new Set(),
      serving: 0,
      lastStart: 0,
    }));
  }

  /** Requests that are being served, and that wait; and those that ever were started and turned away. */
  get load(): QueueLoad {
    return {
      seats: this.#limits.seats,
      serving: this.#serving,
      waiting: this.#waiting,
      started: this.#starts,
      refusedFull: this.#full,
      refusedLate: this.#timedOut,
    };
  }

  /**
   * Resolves when it is the request's turn, with what gives its seat back (to be called once).
   * @param flow whom the request is fair to and against.
   * @throws TooManyRequests when the flow's queues are full, or its turn does not come in time.
   */
  async enter(flow: string): Promise<() => void> {
    const queue = this.#shortest(flow);
    if (this.#serving >= this.#limits.seats) await this.#wait(queue);
    else this.#start(queue);
    return () => {
      queue.serving--;
      this.#serving--;
      this.#next();
    };
  }

  #start(queue: Queue): void {
    queue.serving++;
    this.#serving++;
    queue.lastStart = ++this.#starts;
  }

  #wait(queue: Queue): Promise<void> {
    if (queue.waiting.size >= this.#limits.queueLength) {
      this.#full++;
      throw tooMany();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.waiting.delete(waiting);
        this.#waiting--;
      };
      const waiting: Waiting = {
        start: () => {
          leave();
          waiting.cancelTimer();
          this.#start(queue);
          resolve();
        },
        cancelTimer: this.#clock.after(this.#limits.maxWaitMs, () => {
          leave();
          this.#timedOut++;
          reject(tooMany());
        }),
      };
      queue.waiting.add(waiting);
      this.#waiting++;
    });
  }

  /** Gives a free seat to the queue that has the fewest; of equals, to the one that waits longest. */
  #next(): void {
    if (this.#waiting === 0) return;
    let best: Queue | undefined;
    for (const queue of this.#queues) {
      if (queue.waiting.size === 0) continue;
      const better =
        !best ||
        queue.serving < best.serving ||
        (queue.serving === best.serving && queue.lastStart < best.lastStart);
      if (better) best = queue;
    }
    const [first] = best?.waiting ?? [];
    first?.start();
  }

  /** Of the queues that a flow is dealt, the one with the least in it. */
  #shortest(flow: string): Queue {
    return this.#handOf(flow).reduce((best, each) => (load(each) < load(best) ? each : best));
  }

  /** A flow's queues; those of the last flows are remembered, since few ask again and again. */
  #handOf(flow: string): readonly Queue[] {
    let hand = this.#hands.get(flow);
    if (!hand) {
      const { handSize } = this.#limits;
      hand = dealHand(flow, this.#queues.length, handSize).flatMap((index) => this.#queues[index] ?? []);
      if (this.#hands.size >= REMEMBERED_HANDS) this.#hands.clear();
      this.#hands.set(flow, hand);
    }
    return hand;
  }
}

const load = ({ waiting, serving }: Queue): number => waiting.size * 1000 + serving;

function tooMany(): Error {
  return tooManyRequests('Too many requests, please try again later.', RETRY_AFTER_SECONDS);
}

/** The queues of a flow: few and spread, so that two flows seldom have all of theirs in common. */
export function dealHand(flow: string, queues: number, handSize: number): number[] {
  // FNV-1a, stirred anew for every card.
  let hash = 0x811c9dc5;
  const hand = new Set<number>();
  const stir = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  };
  for (let index = 0; index < flow.length; index++) stir(flow.charCodeAt(index));
  for (let card = 0; hand.size < Math.min(handSize, queues); card++) {
    stir(card & 0xff);
    hand.add((hash >>> 8) % queues);
  }
  return [...hand];
}
