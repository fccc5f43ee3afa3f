// The real clock and real chance: the only place that reads the machine's time, sets its timers and rolls its dice.
import { randomUUID } from 'node:crypto';
import type { Clock, Random } from '../../base/clock.ts';

/** Node takes a longer wait for none at all: some 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const longer = leftMs > LONGEST_TIMER_MS;
      timer = longer
        ? setTimeout(() => wait(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
        : setTimeout(action, leftMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
};
