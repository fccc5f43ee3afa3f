// What the work queues of a process tell of themselves, under the names of upstream's `workqueue_*` metrics: how much
// is added, how much waits and how long, how long the work takes. Sums are made when they are read, not when things
// happen.
import type { Clock } from '../base/clock.ts';
import { Gauge, Histogram, type Labels, type Metrics } from '../base/metrics.ts';

/** Upstream's buckets: from a microsecond to a quarter of an hour, each ten times the one before. */
const BUCKETS = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];

/** Told by a queue of what happens to its keys. */
export interface QueueObserver {
  /** @param depth how many keys wait now. */
  begins(depth: () => number): void;
  /** The key has been added and was not waiting already. */
  added(key: string): void;
  /** A worker has taken it. */
  taken(key: string): void;
  /** The worker is done with it. */
  done(key: string): void;
  /** A key has been added with a rate limit: it has failed. */
  retried(): void;
}

/** The metrics of all queues; each queue has a name of its own. */
export class QueueMetrics {
  readonly #clock: Clock;
  readonly #queues = new Map<string, NamedQueue>();
  readonly #waited: Histogram;
  readonly #worked: Histogram;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#waited = metrics.add(
      new Histogram(
        'workqueue_queue_duration_seconds',
        'How long in seconds an item stays in workqueue before being requested.',
        BUCKETS,
      ),
    );
    this.#worked = metrics.add(
      new Histogram(
        'workqueue_work_duration_seconds',
        'How long in seconds processing an item from workqueue takes.',
        BUCKETS,
      ),
    );
    const add = (
      name: string,
      help: string,
      read: (queue: NamedQueue) => number,
      type: Gauge['type'] = 'gauge',
    ): void => {
      metrics.add(new Gauge(`workqueue_${name}`, help, () => this.#read(read), type));
    };
    add('adds_total', 'Total number of adds handled by workqueue', ({ adds }) => adds, 'counter');
    add('retries_total', 'Total number of retries handled by workqueue', ({ retries }) => retries, 'counter');
    add('depth', 'Current depth of workqueue', ({ depth }) => depth());
    add(
      'unfinished_work_seconds',
      "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
      (queue) => queue.underWayMs().reduce((sum, ms) => sum + ms, 0) / 1000,
    );
    add(
      'longest_running_processor_seconds',
      'How many seconds has the longest running processor for workqueue been running.',
      (queue) => Math.max(0, ...queue.underWayMs()) / 1000,
    );
  }

  /** For the queue of that name; one that is made anew goes on with the numbers of the one before. */
  named(name: string): QueueObserver {
    const known = this.#queues.get(name);
    if (known) return known;
    const labels = { name };
    const queue = new NamedQueue(this.#clock, this.#waited.bound(labels), this.#worked.bound(labels));
    this.#queues.set(name, queue);
    return queue;
  }

  *#read(value: (queue: NamedQueue) => number): Iterable<[Labels, number]> {
    for (const [name, queue] of this.#queues) yield [{ name }, value(queue)];
  }
}

type Observe = (value: number) => void;

class NamedQueue implements QueueObserver {
  adds = 0;
  retries = 0;
  depth: () => number = () => 0;
  readonly #clock: Clock;
  readonly #waited: Observe;
  readonly #worked: Observe;
  /** Since when each key waits, and since when it is worked on: ms since the epoch. */
  readonly #addedMs = new Map<string, number>();
  readonly #takenMs = new Map<string, number>();

  constructor(clock: Clock, waited: Observe, worked: Observe) {
    this.#clock = clock;
    this.#waited = waited;
    this.#worked = worked;
  }

  begins(depth: () => number): void {
    this.depth = depth;
    this.#addedMs.clear();
    this.#takenMs.clear();
  }

  added(key: string): void {
    this.adds++;
    this.#addedMs.set(key, this.#clock.now());
  }

  taken(key: string): void {
    const now = this.#clock.now();
    this.#takenMs.set(key, now);
    const added = this.#addedMs.get(key);
    if (added === undefined) return;
    this.#addedMs.delete(key);
    this.#waited((now - added) / 1000);
  }

  done(key: string): void {
    const taken = this.#takenMs.get(key);
    if (taken === undefined) return;
    this.#takenMs.delete(key);
    this.#worked((this.#clock.now() - taken) / 1000);
  }

  retried(): void {
    this.retries++;
  }

  underWayMs(): number[] {
    const now = this.#clock.now();
    return [...this.#takenMs.values()].map((takenMs) => now - takenMs);
  }
}
