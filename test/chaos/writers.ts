// Clients that write all the time, kill or no kill, and remember what was acknowledged. Each has objects of its own and
// one request under way, so that for every object it is known what must be there: what was acknowledged last or, where
// the answer to a later request never came, what that one asked for.

import { isNotFound, StatusError } from '../../src/api/errors.ts';
import type { ConfigMap } from '../../src/api/generated/types.ts';
import { configMaps } from '../../src/api/resources/config-maps/definition.ts';
import type { Random } from '../../src/base/clock.ts';
import type { Client } from '../../src/client/client.ts';

const NAMESPACE = 'default';
const WRITERS = 8;
/** How many objects each writer has. */
const NAMES = 12;
const REST_MS = 2;
const REST_WHEN_DOWN_MS = 20;

/** What an object may be: its value, or undefined for "not there". */
type State = string | undefined;

interface Known {
  acknowledged: State;
  /** Asked for without an answer; may have happened or not. */
  unanswered: State[];
}

export class Writers {
  readonly #client: Client;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  #running: Promise<unknown> | undefined;
  #stopped = false;
  acknowledged = 0;

  constructor(client: Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: WRITERS }, (_, id) => this.#write(id)));
  }

  /** Resolves when the last request has been answered or has failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /**
   * Compares what is there with what was acknowledged, while the writers go on.
   * @returns a sentence for each object that is not what it must be.
   */
  async lost(): Promise<string[]> {
    // What is acknowledged now cannot be missed by a list that begins afterwards.
    const before = new Map([...this.#known].map(([name, known]) => [name, allowed(known)]));
    const { items } = await this.#client.list<ConfigMap>(configMaps, { namespace: NAMESPACE });
    const there = new Map(items.map((item) => [item.metadata.name, item.data?.value]));
    const faults: string[] = [];
    for (const [name, known] of this.#known) {
      const value = there.get(name);
      // It may have been written again between the two looks.
      const may = [...(before.get(name) ?? [undefined]), ...allowed(known)];
      if (!may.includes(value)) faults.push(`${name} is ${value}, and must be one of ${may.join(', ')}`);
    }
    return faults;
  }

  async #write(id: number): Promise<void> {
    for (let step = 0; !this.#stopped; step++) {
      const name = `chaos-${id}-${Math.floor(this.#random.next() * NAMES)}`;
      const known = this.#known.get(name) ?? { acknowledged: undefined, unanswered: [] };
      this.#known.set(name, known);
      const value = `${id}.${step}`;
      const wanted = known.acknowledged !== undefined && this.#random.next() < 0.2 ? undefined : value;
      known.unanswered.push(wanted);
      const answered = await this.#send(name, wanted, known.unanswered.length > 1);
      if (answered) {
        known.acknowledged = wanted;
        known.unanswered = [];
        this.acknowledged++;
      }
      await new Promise((resolve) => setTimeout(resolve, answered ? REST_MS : REST_WHEN_DOWN_MS));
    }
  }

  /** @param unsure whether the object is there is not known. */
  async #send(name: string, wanted: State, unsure: boolean): Promise<boolean> {
    const key = { namespace: NAMESPACE, name };
    try {
      if (wanted === undefined) {
        await this.#client.delete(configMaps, key).catch((error: unknown) => {
          if (!(unsure && isNotFound(error))) throw error;
        });
      } else {
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: key, data: { value: wanted } };
        const apply = { type: 'apply', body, fieldManager: 'chaos', force: true } as const;
        await this.#client.patch(configMaps, key, apply);
      }
      return true;
    } catch (error) {
      // A refusal means that nothing was written, and nothing that these clients ask for may be refused for good.
      if (error instanceof StatusError && error.code < 500) {
        throw error;
      }
      return false;
    }
  }
}

function allowed(known: Known): State[] {
  return [known.acknowledged, ...known.unanswered];
}
