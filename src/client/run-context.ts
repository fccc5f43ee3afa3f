// What every controller, agent and server of floor 4 is run with; cluster/ and the simulator make it.
import type { Clock, Random } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Client } from './client.ts';
import type { Informers } from './informers.ts';
import type { QueueMetrics } from './queue-metrics.ts';

export interface RunContext {
  client: Client;
  informers: Informers;
  clock: Clock;
  random: Random;
  log: Log;
  /** Where it shows its numbers, if anybody looks at them. */
  metrics?: Metrics;
  /** Where its work queues show theirs. */
  queues?: QueueMetrics;
  /** Ends it: it stops its work, leaves nothing running, and resolves. */
  signal: AbortSignal;
}
