// What every controller, agent and server of floor 4 is run with; cluster/ and the simulator make it.
import type { Clock, Random } from '../api/clock.ts';
import type { Log } from '../api/log.ts';
import type { Client } from './client.ts';
import type { Informers } from './informers.ts';

export interface RunContext {
  client: Client;
  informers: Informers;
  clock: Clock;
  random: Random;
  log: Log;
  /** Ends it: it stops its work, leaves nothing running, and resolves. */
  signal: AbortSignal;
}
