// Where the API server of a simulated cluster is: it may be down, and come back as another server over the same store.

import { allResources } from '../../api/resources/all.ts';
import { createApiServer, type RunningApiServer } from '../../apiserver/server.ts';
import type { Clock, Random } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { directClient } from '../../client/direct.ts';
import type { Store } from '../../store/store.ts';

/** What a client meets when nobody answers, or the connection breaks. */
export const unreachable = (why: string): Error => new Error(`the API server cannot be reached: ${why}`);

interface Incarnation {
  server: RunningApiServer;
  client: Client;
  /** Rejects when the server goes: requests under way are never answered. */
  gone: Promise<never>;
  end(): void;
}

export class ApiEndpoint {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  #current: Incarnation | undefined;

  constructor(store: Store, clock: Clock, random: Random) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  get isUp(): boolean {
    return this.#current !== undefined;
  }

  start(): void {
    if (this.#current) return;
    const server = createApiServer({
      store: this.#store,
      clock: this.#clock,
      random: this.#random,
      log: silentLog,
      resources: allResources,
      serviceCidr: '10.96.0.0/16',
    });
    const client = directClient(server, { name: 'simulator', groups: ['system:masters'] });
    let end = (): void => {};
    const gone = new Promise<never>((_resolve, reject) => {
      end = () => reject(unreachable('connection reset'));
    });
    gone.catch(() => {});
    this.#current = { server, client, gone, end };
  }

  stop(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.server.stop();
    current?.end();
  }

  /** Lets an action speak with the server; rejects if there is none, or if it goes before it has answered. */
  async use<T>(action: (client: Client) => Promise<T>): Promise<T> {
    const current = this.#current;
    if (!current) throw unreachable('connection refused');
    return Promise.race([action(current.client), current.gone]);
  }
}
