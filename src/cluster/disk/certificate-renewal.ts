// Keeps the certificates of a stead that runs from ending: looks twice a day by the wall clock, whose leaps (a machine that
// slept, a time server's correction) no timer follows, and hands on what is new. Whoever shows or
// trusts a certificate takes the new one in the middle of its work; connections that are open go on.
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Gauge, type Metrics } from '../../base/metrics.ts';
import {
  type CertificateEnd,
  type Certificates,
  type ClientRequest,
  ensureCertificates,
} from './certificates.ts';

const LOOK_MS = 12 * 3_600_000;
/** How often the wall clock is asked whether it is time to look. */
const CLOCK_MS = 60_000;
/** After a failure: the disk may be full, say. */
const RETRY_MS = 600_000;

export interface RenewalOptions {
  directory: string;
  /** What the API server is called from the start: DNS names and IP addresses. */
  names: readonly string[];
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** The certificates as they are now. */
export class LiveCertificates {
  #current: Certificates;
  /** The last that every listener has taken. */
  #handedOn: Certificates;
  readonly #options: RenewalOptions;
  #names: readonly string[];
  #clients: readonly ClientRequest[] = [];
  /** The last change of the files: two at once would each undo half of the other. */
  #changing: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<(certificates: Certificates) => void | Promise<void>>();

  /** Reads or makes them. */
  static async open(options: RenewalOptions): Promise<LiveCertificates> {
    const { clock, directory, names } = options;
    return new LiveCertificates(options, await ensureCertificates(directory, names, clock.now()));
  }

  private constructor(options: RenewalOptions, first: Certificates) {
    this.#options = options;
    this.#names = options.names;
    this.#current = first;
    this.#handedOn = first;
    options.metrics.add(
      new Gauge(
        'stead_certificate_expiration_timestamp_seconds',
        'When a certificate ends, in seconds since the epoch.',
        () => this.ends.map(({ endsAtMs, name }) => [{ name }, endsAtMs / 1000]),
      ),
    );
  }

  get current(): Certificates {
    return this.#current;
  }

  get ends(): CertificateEnd[] {
    return this.#current.ends;
  }

  /** Calls back with what is new. One that fails is called again at the next look. Returns what ends that. */
  onChange(listener: (certificates: Certificates) => void | Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** From now on, these clients have certificates, too. */
  addClients(clients: readonly ClientRequest[]): Promise<void> {
    return this.#change(async () => {
      this.#clients = clients;
      this.#current = await this.#ensure();
      // Whatever else is new is handed on when it is renewed.
      this.#handedOn = { ...this.#handedOn, clients: this.#current.clients };
    });
  }

  /** From now on, the API server is called this, too: whoever shows its certificate shows another when it resolves. */
  async addName(name: string): Promise<void> {
    const before = this.#names;
    if (before.includes(name)) return void (await this.#changing);
    this.#names = [...before, name];
    try {
      await this.renew();
    } catch (error) {
      this.#names = before;
      throw error;
    }
  }

  /** Renews what is due. Throws what stands in the way; a second call goes on from there. */
  renew(): Promise<void> {
    return this.#change(async () => {
      const found = await this.#ensure();
      this.#current = found;
      if (shownOf(found) === shownOf(this.#handedOn)) return;
      for (const listener of this.#listeners) await listener(found);
      this.#handedOn = found;
      const until = Object.fromEntries(
        found.ends.map(({ endsAtMs, name }) => [name, new Date(endsAtMs).toISOString()]),
      );
      this.#options.log.info('certificates are renewed', until);
    });
  }

  #ensure(): Promise<Certificates> {
    const { clock, directory } = this.#options;
    return ensureCertificates(directory, this.#names, clock.now(), this.#clients);
  }

  #change(work: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  /** Runs until the signal. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let lookedAtMs = clock.now();
    for (let delayMs = LOOK_MS; ; ) {
      await sleep(clock, CLOCK_MS, signal);
      if (signal.aborted) return;
      if (Math.abs(clock.now() - lookedAtMs) < delayMs) continue;
      lookedAtMs = clock.now();
      try {
        await this.renew();
        delayMs = LOOK_MS;
      } catch (error) {
        log.error('certificates cannot be renewed; trying again', error);
        delayMs = RETRY_MS;
      }
    }
  }
}

/** What others have of them. */
const shownOf = ({ ca, clients, server }: Certificates): string =>
  [ca, server.cert, ...Object.values(clients).map(({ cert }) => cert)].join();
