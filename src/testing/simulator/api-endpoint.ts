// Where the API server of a simulated cluster is: it may be down, and come back as another server over the same store.
// Everybody speaks to it as a user of their own; who asks for what they may not is told of.

import { allResources } from '../../api/resources/all.ts';
import { authorized } from '../../apiserver/authorized.ts';
import { type Authorizer, refusal } from '../../apiserver/authz/authorize.ts';
import { UNRELATED } from '../../apiserver/authz/node.ts';
import type { User } from '../../apiserver/request.ts';
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
  as(user: User): Client;
  /** Rejects when the server goes: requests under way are never answered. */
  gone: Promise<never>;
  end(): void;
}

export class ApiEndpoint {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #refused: (what: string) => void;
  #current: Incarnation | undefined;

  /** @param refused hears of every request that its user may not make. */
  constructor(store: Store, clock: Clock, random: Random, refused: (what: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#refused = refused;
  }

  get isUp(): boolean {
    return this.#current !== undefined;
  }

  /** The server that is up; undefined if there is none. */
  get server(): RunningApiServer | undefined {
    return this.#current?.server;
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
    const authorize: Authorizer = async (user, asked) => {
      const decision = await server.identity.authorize(user, asked);
      const { reason = '' } = decision;
      // The pod that it was for has gone meanwhile.
      const isLate = reason.startsWith(UNRELATED);
      if (!decision.allowed && !isLate) this.#refused(refusal(user, asked, reason).message);
      return decision;
    };
    const front = authorized(server, authorize);
    let end = (): void => {};
    const gone = new Promise<never>((_resolve, reject) => {
      end = () => reject(unreachable('connection reset'));
    });
    gone.catch(() => {});
    this.#current = { server, as: (user) => directClient(front, user), gone, end };
  }

  stop(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.server.stop();
    current?.end();
  }

  /** Lets a user's action speak with the server; rejects if there is none, or if it goes before it has answered. */
  async use<T>(user: User, action: (client: Client) => Promise<T>): Promise<T> {
    const current = this.#current;
    if (!current) throw unreachable('connection refused');
    return Promise.race([action(current.as(user)), current.gone]);
  }
}
