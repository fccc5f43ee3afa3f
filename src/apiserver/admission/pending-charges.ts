// What writes that are under way will add to one quota, on record in the store beside it: changed by compare-and-set, so
// that two API servers on one store never both give away what is left. Writes that come together are one change of it.
import type { Amounts } from '../../api/pod-resources.ts';
import type { Clock } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';

const PREFIX = '/reservations/resourcequotas/';
/** A charge whose write is neither seen nor called off is of a server that died: after so long, ms, no request lasts. */
const ABANDONED_MS = 120_000;

/** What one write adds to the quota. */
export interface Charge {
  /** Which kind of object, `group/plural`, and which one, `namespace/name`. */
  kind: string;
  object: string;
  /** The version that is written over; empty for a new object. */
  from: string;
  added: Amounts;
}

/** A charge on record. */
export interface Pending extends Omit<Charge, 'added'> {
  added: Record<string, string>;
  /** The revision of what was seen when it was put on record. */
  since: number;
  atMs: number;
}

/** A write that waits for its charge to be put on record. */
interface Waiting {
  charge: Charge;
  check(held: Amounts): void;
  resolve(): void;
  reject(reason: unknown): void;
}

/** What can be seen of the objects that a quota counts. */
export interface ChargesView {
  /** Resolves when everything that is written, and everything up to a revision, is seen. */
  newest(revision: number): Promise<void>;
  /** The revision of what is seen. */
  revision(): number;
  /** Whether the write of a charge, or another in its place, has been seen. */
  isSeen(charge: Pending): boolean;
}

export class PendingCharges {
  readonly #key: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #view: ChargesView;
  #record: { revision: number; pending: readonly Pending[] } | undefined;
  #waiting: Waiting[] = [];
  #calledOff = new Set<string>();
  #working = false;

  /** @param uid of the quota. */
  constructor(uid: string, store: Store, clock: Clock, view: ChargesView) {
    this.#key = PREFIX + uid;
    this.#store = store;
    this.#clock = clock;
    this.#view = view;
  }

  /** What is held of the quota by writes of a kind. */
  async held(kind: string): Promise<Amounts> {
    const { revision, pending } = await this.#read();
    await this.#view.newest(revision);
    return sumOf(this.#open(pending).filter((each) => each.kind === kind));
  }

  /**
   * Puts a charge on record.
   * @param check throws if the quota has no room for it beside what is held by others; called again when the record was
   *   changed meanwhile, and nothing else is decided between its last call and the record.
   */
  add(charge: Charge, check: (held: Amounts) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ charge, check, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  /** The write of a charge has failed: it holds nothing any more. */
  callOff(charge: Charge): void {
    this.#calledOff.add(nameOf(charge));
  }

  /** Removes the record: its quota is gone. */
  async drop(): Promise<void> {
    const entry = await this.#store.get(this.#key);
    if (entry) await this.#store.delete(this.#key, entry.revision);
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#put(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#working = false;
  }

  /** Decides a batch, and puts on record what is admitted of it; again, if another server has changed the record. */
  async #put(batch: readonly Waiting[]): Promise<void> {
    for (;;) {
      const record = this.#record ?? (await this.#read());
      await this.#view.newest(record.revision);
      const calledOff = [...this.#calledOff];
      const { pending, admitted, refused } = this.#decide(record.pending, batch);
      if (admitted.length > 0) {
        const value = Buffer.from(JSON.stringify(pending));
        const result = await this.#store.put(this.#key, value, record.revision);
        this.#record = result.ok ? { revision: result.revision, pending } : undefined;
        if (!result.ok) continue;
        for (const name of calledOff) this.#calledOff.delete(name);
      }
      for (const { resolve } of admitted) resolve();
      for (const [{ reject }, why] of refused) reject(why);
      return;
    }
  }

  #decide(
    before: readonly Pending[],
    batch: readonly Waiting[],
  ): { pending: Pending[]; admitted: Waiting[]; refused: Map<Waiting, unknown> } {
    const atMs = this.#clock.now();
    const since = this.#view.revision();
    // A write that is tried again, perhaps after a server has died over it, is not counted twice.
    const again = new Set(batch.map(({ charge }) => nameOf(charge)));
    const pending = this.#open(before).filter((each) => !again.has(nameOf(each)));
    const admitted: Waiting[] = [];
    const refused = new Map<Waiting, unknown>();
    for (const waiting of batch) {
      const { kind, object, from, added } = waiting.charge;
      try {
        waiting.check(sumOf(pending.filter((each) => each.kind === kind)));
        const amounts = Object.fromEntries([...added].map(([name, amount]) => [name, `${amount}`]));
        pending.push({ kind, object, from, added: amounts, since, atMs });
        admitted.push(waiting);
      } catch (error) {
        refused.set(waiting, error);
      }
    }
    return { pending, admitted, refused };
  }

  /** Those of which the write may still come. */
  #open(pending: readonly Pending[]): Pending[] {
    const nowMs = this.#clock.now();
    return pending.filter(
      (each) =>
        !this.#calledOff.has(nameOf(each)) && !this.#view.isSeen(each) && nowMs - each.atMs <= ABANDONED_MS,
    );
  }

  async #read(): Promise<{ revision: number; pending: Pending[] }> {
    const entry = await this.#store.get(this.#key);
    if (!entry) return { revision: 0, pending: [] };
    // Only this file writes it.
    return { revision: entry.revision, pending: JSON.parse(Buffer.from(entry.value).toString()) };
  }
}

/** One write is one name: of the same object's next try, the version is another. */
const nameOf = ({ kind, object, from }: Pick<Charge, 'kind' | 'object' | 'from'>): string =>
  `${kind} ${object} ${from}`;

function sumOf(pending: readonly Pending[]): Amounts {
  const sum: Amounts = new Map();
  for (const { added } of pending) {
    for (const [name, amount] of Object.entries(added)) sum.set(name, (sum.get(name) ?? 0n) + BigInt(amount));
  }
  return sum;
}
