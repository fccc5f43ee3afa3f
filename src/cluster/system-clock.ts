// The real clock and real chance: the only place that reads the machine's time, sets its timers and rolls its dice.
import { randomUUID } from 'node:crypto';
import type { Clock, Random } from '../api/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
};
