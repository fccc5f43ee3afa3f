// Gives out node ports: a port is somebody's who has a reservation of it, made by compare-and-set. The lower part of the
// range is left to those who ask for a port by number. Follows pkg/registry/core/service/portallocator; which port a
// Service asks for is not decided here.
import type { Service } from '../../../api/generated/types.ts';
import { nameOf, type ObjectKey, parseKey, type Stored } from '../../../api/objects.ts';
import type { AdmissionContext } from '../admission.ts';
import type { Band } from './address-bands.ts';
import { portsOf } from './node-ports.ts';
import { type Reservation, Reservations } from './reservations.ts';

const RANGE: Band<number> = { first: 30_000, last: 32_767 };
/** So many from the first on are given last: a 32nd of the range, at least 16 and at most 128 (calculateRangeOffset). */
const STATIC = 86;
const BANDS: readonly Band<number>[] = [
  { first: RANGE.first + STATIC, last: RANGE.last },
  { first: RANGE.first, last: RANGE.first + STATIC - 1 },
];
/** Random tries before a part of the range is searched from one end to the other. */
const RANDOM_TRIES = 16;
/** What a client is shown first that only asks what would be: no port of the range, as upstream does. */
const FIRST_SHOWN = 32_769;

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
    const { first, last } = RANGE;
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
   * Takes any port; undefined if there is none left.
   * @param own what the Service has already.
   */
  async takeAny(
    service: ObjectKey,
    own: ReadonlySet<number>,
  ): Promise<{ port: number; reservation: Reservation } | undefined> {
    for (const band of BANDS) {
      const taken = await this.#takeFrom(band, service, own);
      if (taken) return taken;
    }
    return undefined;
  }

  async #takeFrom(
    { first, last }: Band<number>,
    service: ObjectKey,
    own: ReadonlySet<number>,
  ): Promise<{ port: number; reservation: Reservation } | undefined> {
    const count = last - first + 1;
    const any = (): number => first + Math.floor(this.#context.random.next() * count);
    const free = async (port: number): Promise<{ port: number; reservation: Reservation } | undefined> => {
      const reservation = own.has(port) ? undefined : await this.take(port, service);
      return reservation && { port, reservation };
    };
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const taken = await free(any());
      if (taken) return taken;
    }
    const reserved = await this.reserved();
    const start = any() - first;
    const all = Array.from({ length: count }, (_, step) => first + ((start + step) % count));
    // Those that are reserved come last: by whom, is asked of each.
    const inOrder = [
      ...all.filter((port) => !reserved.has(port)),
      ...all.filter((port) => reserved.has(port)),
    ];
    for (const port of inOrder) {
      const taken = await free(port);
      if (taken) return taken;
    }
    return undefined;
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
