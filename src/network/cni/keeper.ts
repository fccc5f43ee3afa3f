// Keeps the pod network as it was made while others change the machine: a firewall manager empties all tables when it loads
// its own rules, and `sysctl --system` sets forwarding back. It is looked at when somebody has changed the packet filter, and
// now and then besides; what is missing is made again. How it is made is not here.
import { readFile } from 'node:fs/promises';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { lostHostPorts, ownRules } from './saved-rules.ts';

/** What forwards packets, and what shows the packet filter those between pods; see bridge.ts and proxy/bridged-traffic.ts. */
const SETTINGS = ['ipv4/ip_forward', 'bridge/bridge-nf-call-iptables', 'bridge/bridge-nf-call-ip6tables'];
/** How often settings are looked at: nobody tells of them. */
const SETTINGS_MS = 2_000;
/** How often rules are looked at though nobody told of a change: the older iptables tells nobody. */
const RULES_MS = 60_000;
/** Who changes rules changes many; and what was mended is left for as long. */
const SETTLE_MS = 100;

export interface KeeperContext {
  run: RunCommand;
  clock: Clock;
  log: Log;
  /** Reads a file of the kernel's; node:fs/promises' own if it is left out. */
  read?(path: string): Promise<string>;
}

export class NetworkKeeper {
  readonly #context: KeeperContext;
  readonly #network: PodNetwork;
  readonly #mend: () => Promise<void>;
  #stirred = new AbortController();
  /** The packet filters of the families that it has. */
  readonly #filters: readonly string[];
  /** All rules of the machine as they were when it was last whole, of each filter. */
  #saved: readonly string[] = [];
  #settings: readonly string[] = [];

  /** @param mend makes the network again on the machine, whatever is missing of it; idempotent. */
  constructor(context: KeeperContext, network: PodNetwork, mend: () => Promise<void>) {
    this.#context = context;
    this.#network = network;
    this.#mend = mend;
    this.#filters = network.ipv6 ? ['iptables', 'ip6tables'] : ['iptables'];
  }

  /** Somebody has changed the packet filter, perhaps what is ours in it. */
  stir(): void {
    this.#stirred.abort();
  }

  /** Keeps it until the signal; the network is whole when it is called. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    let lookAgainMs = 0;
    let isKnown = false;
    while (!signal.aborted) {
      const isStirred = this.#stirred.signal.aborted;
      try {
        if (isStirred) await sleep(clock, SETTLE_MS, signal);
        this.#stirred = new AbortController();
        const isDue = isStirred || clock.now() >= lookAgainMs;
        if (isDue) lookAgainMs = clock.now() + RULES_MS;
        if (!isKnown) await this.#remember();
        else await this.#look(isDue);
        isKnown = true;
      } catch (error) {
        log.error('the pod network cannot be kept as it was made', error);
        lookAgainMs = 0;
      }
      await sleep(clock, SETTINGS_MS, AbortSignal.any([signal, this.#stirred.signal]));
    }
  }

  async #remember(): Promise<void> {
    this.#settings = await this.#readSettings();
    this.#saved = await this.#save();
  }

  async #look(withRules: boolean): Promise<void> {
    const { log } = this.#context;
    const settings = await this.#readSettings();
    const lost = this.#settings.filter((setting, index) => setting !== settings[index]);
    const saved = withRules ? await this.#save() : this.#saved;
    const isWhole = saved.every(
      (rules, index) => ownRules(rules, this.#network) === ownRules(this.#saved[index] ?? '', this.#network),
    );
    if (isWhole && lost.length === 0) {
      this.#saved = saved;
      return;
    }
    log.warn('somebody has changed what pods are reached by: it is made again', {
      ...(lost.length > 0 && { settings: lost.join(', ') }),
      ...(!isWhole && { rules: this.#network.bridge }),
    });
    await this.#mend();
    if (!isWhole) await this.#restoreHostPorts();
    await this.#remember();
  }

  async #restoreHostPorts(): Promise<void> {
    const now = await this.#save();
    for (const [index, filter] of this.#filters.entries()) {
      const lost = lostHostPorts(this.#saved[index] ?? '', now[index] ?? '', this.#network);
      if (lost) await this.#context.run(`${filter}-restore`, ['-w', '--noflush'], { input: lost });
    }
  }

  #save(): Promise<string[]> {
    return Promise.all(this.#filters.map((filter) => this.#context.run(`${filter}-save`, [])));
  }

  /** `ipv4/ip_forward = 1`; of what this kernel does not have, that it has none. */
  #readSettings(): Promise<string[]> {
    const { read = (path: string) => readFile(path, 'utf8') } = this.#context;
    return Promise.all(
      SETTINGS.map(
        async (name) => `${name} = ${(await read(`/proc/sys/net/${name}`).catch(() => '-')).trim()}`,
      ),
    );
  }
}
