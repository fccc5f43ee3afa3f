// The resolvers beyond the cluster: in which order they are asked, which have failed lately, and which send our own
// questions back to us. How they are asked is exchange.ts's business.
import type { Clock, Random } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { exchange, type ResolverQuestion } from './exchange.ts';
import { questionSection, RCODE } from './question.ts';
import { formatResolverAddress, type ResolverAddress } from './resolver-address.ts';
import type { ResolverMessage } from './resolver-message.ts';

/** Who has failed is asked last for so long, and after each further failure twice as long; in milliseconds. */
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 60_000;
/** Of so many a question is asked before there is no answer. */
const MOST_ASKED = 3;
/** How often one that does not answer, or leads back here, is asked whether it does so, in milliseconds. */
const PROBE_EVERY_MS = 10_000;
/** And one of which nothing bad is known. */
const PROBE_HEALTHY_EVERY_MS = 300_000;
const HINFO = 13;

interface Upstream {
  where: ResolverAddress;
  restsUntilMs: number;
  restMs: number;
  /** It leads back here. */
  loops: boolean;
  probedAtMs: number;
  /** Ends what it is asked. */
  abort: AbortController;
}

export class Upstreams {
  readonly #upstreams: Upstream[];
  readonly #context: { clock: Clock; random: Random; log: Log };
  /** The names that are asked for to see whether they come back, and at whom. */
  readonly #probes = new Map<string, { upstream: Upstream; cameBack: boolean }>();
  #closed = false;

  constructor(addresses: readonly ResolverAddress[], context: { clock: Clock; random: Random; log: Log }) {
    this.#context = context;
    this.#upstreams = addresses.map((where) => ({
      where,
      restsUntilMs: 0,
      restMs: FIRST_REST_MS,
      loops: false,
      probedAtMs: Number.NEGATIVE_INFINITY,
      abort: new AbortController(),
    }));
  }

  /**
   * Asks one after the other until one knows. Never rejects.
   * @returns the answer, or the first failure that one has told of; undefined when nobody has said anything.
   */
  async ask(asked: ResolverQuestion): Promise<ResolverMessage | undefined> {
    const order = this.#inOrder();
    // A datagram may be lost: one that is alone is asked twice.
    const attempts = order.length === 1 ? [...order, ...order] : order.slice(0, MOST_ASKED);
    let told: ResolverMessage | undefined;
    for (const upstream of attempts) {
      if (this.#closed || upstream.loops) continue;
      const answer = await this.#exchange(upstream, asked);
      if (answer?.rcode === RCODE.NOERROR || answer?.rcode === RCODE.NXDOMAIN) return answer;
      told ??= answer;
      if (told && order.length === 1) break;
    }
    return told;
  }

  /** Asks all of them for a name that nobody else asks for: whose question comes back leads here. */
  probe(): void {
    for (const upstream of this.#upstreams) void this.#probe(upstream, PROBE_HEALTHY_EVERY_MS);
  }

  /** Whether the name is one that was asked for to see whether it comes back. It has. */
  isProbe(name: string): boolean {
    const probe = this.#probes.get(name);
    if (!probe) return false;
    probe.cameBack = true;
    const { upstream } = probe;
    if (!upstream.loops) {
      upstream.loops = true;
      // What it is asked goes round in a circle.
      upstream.abort.abort();
      upstream.abort = new AbortController();
      const message =
        'a DNS resolver sends the cluster’s questions back to the cluster: it is not asked any more; name another with --dns-forward';
      this.#context.log.error(message, undefined, { resolver: formatResolverAddress(upstream.where) });
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const { abort } of this.#upstreams) abort.abort();
  }

  /** As they were given; those that have failed lately behind the others. */
  #inOrder(): Upstream[] {
    const nowMs = this.#context.clock.now();
    for (const upstream of this.#upstreams) if (upstream.loops) void this.#probe(upstream, PROBE_EVERY_MS);
    const able = this.#upstreams.filter(({ loops }) => !loops);
    const isResting = ({ restsUntilMs }: Upstream): boolean => restsUntilMs > nowMs;
    return [...able.filter((each) => !isResting(each)), ...able.filter(isResting)];
  }

  async #exchange(upstream: Upstream, asked: ResolverQuestion): Promise<ResolverMessage | undefined> {
    const answer = await exchange(upstream.where, asked, this.#context, upstream.abort.signal);
    if (answer) {
      upstream.restsUntilMs = 0;
      upstream.restMs = FIRST_REST_MS;
    } else if (!upstream.loops && upstream.restsUntilMs <= this.#context.clock.now()) {
      upstream.restsUntilMs = this.#context.clock.now() + upstream.restMs;
      upstream.restMs = Math.min(2 * upstream.restMs, LONGEST_REST_MS);
      void this.#probe(upstream, PROBE_EVERY_MS);
    }
    return answer;
  }

  /** Sees whether a resolver leads here, or does so no longer; not more often than may be. */
  async #probe(upstream: Upstream, everyMs: number): Promise<void> {
    const { clock, log, random } = this.#context;
    if (this.#closed || clock.now() < upstream.probedAtMs + everyMs) return;
    upstream.probedAtMs = clock.now();
    const name = random.uuid().replace(/^(.{8})-(.{4})-(.{4})-(.{4})-(.*)$/, '$1$2.$3$4$5');
    const probe = { upstream, cameBack: false };
    this.#probes.set(name, probe);
    const asked = { question: questionSection(name, HINFO), dnssecOk: false, checkingDisabled: false };
    await exchange(upstream.where, asked, this.#context, upstream.abort.signal);
    this.#probes.delete(name);
    if (!upstream.loops || probe.cameBack || this.#closed) return;
    upstream.loops = false;
    log.info('the DNS resolver leads back here no longer', {
      resolver: formatResolverAddress(upstream.where),
    });
  }
}
