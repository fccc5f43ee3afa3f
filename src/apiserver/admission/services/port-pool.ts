// Gives out node ports: a port is somebody's who has a reservation of it, made by compare-and-set. The lower part of the
// range is left to those who ask for a port by number. Follows pkg/registry/core/service/portallocator; which port a
// Service asks for is not decided here.
import type { Service } from '../../../api/generated/types.ts';
import { nameOf, type ObjectKey, parseKey, type Stored } from '../../../api/objects.ts';
import { NODE_PORTS, portsOf } from '../../../api/resources/services/node-ports.ts';
import type { AdmissionContext } from '../admission.ts';
import type { Band } from './address-bands.ts';
import { type Reservation, Reservations } from './reservations.ts';

/** So many from the first on are given last: a 32nd of the range, at least 16 and at most 128 (calculateRangeOffset). */
const STATIC = 86;
const BANDS: readonly Band<number>[] = [
  { first: NODE_PORTS.first + STATIC, last: NODE_PORTS.last },
  { first: NODE_PORTS.first, last: NODE_PORTS.first + STATIC - 1 },
];
/** Random tries before a part of the range is searched from one end to the other. */
const RANDOM_TRIES = 16;
/** What a client is shown first that only asks what would be: no port of the range, as upstream does. */
const FIRST_SHOWN = 32_769;

interface TakenPort {
  port: number;
  reservation: Reservation;
}

/** The pool as one write sees it. */
export class PortPool {
  readonly #context: AdmissionContext;
  readonly #reservations: Reservations;

  constructor(context: AdmissionContext) {
    this.#context = context;
    this.#reservations = new Reservations(context.store, context.clock, 'nodeports');
  }

  /** Why a port cannot be had at all; undefined if it is one of the range. */
  refusal(port: number): string | undefined {
    const { first, last } = NODE_PORTS;
    return port >= first && port <= last
      ? undefined
      : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  }

  /** Who has reserved a port. */
  async ownerOf(port: number): Promise<ObjectKey | undefined> {
    const owner = await this.#reservations.ownerOf(`${port}`);
    return owner === undefined ? undefined : parseKey(owner);
  }

  /** Takes a port for a Service; undefined if somebody has it. */
  take(port: number, service: ObjectKey): Promise<Reservation | undefined> {
    return this.#reservations.take(`${port}`, nameOf(service), async (other) => {
      // The resource decides the type.
      const found = (await this.#context.find('', 'services', parseKey(other))) as
        | Stored<Service>
        | undefined;
      return found !== undefined && portsOf(found.spec).includes(port);
    });
  }

  /**
   * Takes any port; undefined if there is none left. What is reserved comes last: by whom, is asked of each then.
   * @param own what the Service has already.
   */
  async takeAny(service: ObjectKey, own: ReadonlySet<number>): Promise<TakenPort | undefined> {
    const { random } = this.#context;
    const from = async (ports: Iterable<number>): Promise<TakenPort | undefined> => {
      for (const port of ports) {
        const reservation = own.has(port) ? undefined : await this.take(port, service);
        if (reservation) return { port, reservation };
      }
      return undefined;
    };
    const left: number[] = [];
    for (const { first, last } of BANDS) {
      const count = last - first + 1;
      const any = (): number => Math.floor(random.next() * count);
      const start = any();
      const inTurn = (_: unknown, step: number): number => first + ((start + step) % count);
      const guessed = await from(Array.from({ length: RANDOM_TRIES }, () => first + any()));
      if (guessed) return guessed;
      const reserved = await this.reserved();
      const all = Array.from({ length: count }, inTurn);
      const free = await from(all.filter((port) => !reserved.has(port)));
      if (free) return free;
      left.push(...all);
    }
    return from(left);
  }

  /** @param shown what the client is shown already. */
  shownAfter(shown: readonly number[]): number {
    return Math.max(FIRST_SHOWN - 1, ...shown) + 1;
  }

  /** The reservation of a port, if it is this Service's. */
  findOf(port: number, service: ObjectKey): Promise<Reservation | undefined> {
    return this.#reservations.find(`${port}`, nameOf(service));
  }

  release(reservation: Reservation): Promise<void> {
    return this.#reservations.release(reservation);
  }

  /** Which ports are reserved. */
  async reserved(): Promise<Set<number>> {
    return new Set([...(await this.#reservations.all())].map(Number));
  }
}
