// Keeps the API open where the pods of this machine reach it: on the address of their bridge, beside those it was started
// on. The node process makes the bridge, perhaps after the API is up and perhaps long before; whoever remembers it is not
// known here. The address is in the API's certificate before anybody can connect to it.
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ApiAddress } from '../../controllers/kubernetes-service/plan.ts';
import { isWildcard } from '../process/port.ts';

/** How often an address that is not there yet is tried. */
const TRY_MS = 100;
/** How often it is looked whether the pods' network has become another. */
const LOOK_MS = 5_000;

export interface ApiForPodsOptions {
  /** Where pods reach this machine; undefined as long as their network has not been chosen. */
  podAddress(): Promise<string | undefined>;
  /** Where the API listens anyway. */
  addresses: readonly string[];
  port: number;
  /** Opens the port on one more address; gives what closes it. */
  alsoOn(address: string): Promise<() => void>;
  /** Shows a certificate from now on that is valid for the address, too. */
  addName(address: string): Promise<void>;
  clock: Clock;
  log: Log;
}

export class ApiForPods {
  readonly #options: ApiForPodsOptions;
  readonly #listeners = new Set<() => void>();
  #open: { ip: string; shut: () => void } | undefined;
  #looking: Promise<boolean> | undefined;

  constructor(options: ApiForPodsOptions) {
    this.#options = options;
  }

  /** Where pods reach the API; undefined as long as they do not. */
  current(): ApiAddress | undefined {
    return this.#open && { ip: this.#open.ip, port: this.#options.port };
  }

  /** Calls back when that has changed. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Opens the address if there is one. @returns whether pods reach the API now. */
  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<boolean> {
    const { addName, addresses, alsoOn, log, podAddress } = this.#options;
    const ip = await podAddress();
    if (ip === undefined) return false;
    if (ip === this.#open?.ip) return true;
    try {
      await addName(ip);
      const isOpen = addresses.some((address) => address === ip || isWildcard(address));
      const shut = isOpen ? () => {} : await alsoOn(ip);
      this.#open?.shut();
      this.#open = { ip, shut };
    } catch (error) {
      // The bridge is not there yet.
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL'))
        log.error('the API cannot be opened for pods; trying again', error, { address: ip });
      return false;
    }
    log.info('pods reach the API', { address: ip, port: this.#options.port });
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** Runs until the signal. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await sleep(this.#options.clock, (await this.look()) ? LOOK_MS : TRY_MS, signal);
  }
}
