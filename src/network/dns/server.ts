// The cluster's DNS server: UDP and TCP on the addresses it is given. Answers about the cluster come from the informers'
// caches (zone.ts), everything else from resolvers beyond. Pods and this machine are answered, and nobody else.
import type { Clock } from '../../base/clock.ts';
import type { RunContext } from '../../client/run-context.ts';
import {
  encodeAnswer,
  encodeFailure,
  encodeRefusal,
  negativeAuthority,
  rotated,
  type Transport,
  withTtl,
} from './answer.ts';
import { askersOf } from './askers.ts';
import { askBeyond } from './beyond.ts';
import { createForwarder, type Forwarder } from './forward.ts';
import { type AnswerMessage, type Listener, listenTcp, listenUdp, type MayAsk } from './listen.ts';
import { inLowerCase, type Query, RCODE, readQuestion } from './question.ts';
import { type Resolution, resolve, type Zone } from './resolve.ts';
import type { ResolverAddress } from './resolver-address.ts';
import { answerFrom } from './resolver-message.ts';
import { zoneOf } from './zone.ts';

/** How many are tried when any will do. */
const MOST_FREE_PORTS = 10;

export interface DnsOptions {
  /** Where to listen; all on the same port. */
  addresses: readonly string[];
  /** 53 for pods; 0 for any free one. */
  port: number;
  /** `cluster.local` */
  domain: string;
  /** Resolvers for names outside the cluster; this server itself is passed over. */
  forwardTo: readonly ResolverAddress[];
  /** The pods' addresses, in CIDR notation; without it only this machine may ask. */
  podRange?: string;
}

export interface DnsServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Starts the server; it answers when the promise resolves. Needs the caches of Services, EndpointSlices, Pods and
 * Namespaces, and waits for them.
 * @throws the bind error (address or port in use, no such address) with the address in its message.
 */
export async function startDnsServer(context: RunContext, options: DnsOptions): Promise<DnsServer> {
  const { informers, clock, log } = context;
  const { addresses } = options;
  const zone = zoneOf(informers, options.domain, addresses[0] ?? '127.0.0.1');
  const mayAsk = askersOf(options.podRange, clock);
  await zone.synced;

  let answerer: Answerer | undefined;
  const answer: AnswerMessage = async (message, transport) => {
    const query = readQuestion(message);
    if (!query) return undefined;
    if ('rcode' in query) return encodeRefusal(query);
    try {
      return await answerer?.answer(query, transport);
    } catch (error) {
      log.error('a question could not be answered', error, {
        name: query.labels.join('.'),
        type: query.type,
      });
      return encodeFailure(query, RCODE.SERVFAIL);
    }
  };

  try {
    const { port, listeners } = await listen(options, answer, mayAsk, clock);
    const resolvers = options.forwardTo.filter(
      (resolver) => resolver.port !== port || !addresses.includes(resolver.address),
    );
    const forwarder = createForwarder(resolvers, context);
    answerer = new Answerer(zone, forwarder, () => context.random.next());
    forwarder.begin();
    log.info('DNS answers', { addresses: addresses.join(','), port, domain: options.domain });
    return {
      port,
      async close() {
        zone.close();
        forwarder.close();
        await closeAll(listeners);
      },
    };
  } catch (error) {
    zone.close();
    throw error;
  }
}

/** Which port is free is chosen for UDP; for TCP somebody may have it, and then another is tried. */
async function listen(
  { addresses, port: wanted }: DnsOptions,
  answer: AnswerMessage,
  mayAsk: MayAsk,
  clock: Clock,
): Promise<{ port: number; listeners: Listener[] }> {
  for (let attempt = 1; ; attempt++) {
    const listeners: Listener[] = [];
    let port = wanted;
    try {
      for (const address of addresses) {
        const udp = await listenUdp(address, port, answer, mayAsk);
        listeners.push(udp);
        port = udp.port;
        listeners.push(await listenTcp(address, port, answer, mayAsk, clock));
      }
      return { port, listeners };
    } catch (error) {
      await closeAll(listeners);
      if (wanted !== 0 || attempt === MOST_FREE_PORTS) throw error;
    }
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

class Answerer {
  readonly #zone: Zone;
  readonly #forwarder: Forwarder;
  readonly #chance: () => number;

  constructor(zone: Zone, forwarder: Forwarder, chance: () => number) {
    this.#zone = zone;
    this.#forwarder = forwarder;
    this.#chance = chance;
  }

  async answer(query: Query, transport: Transport): Promise<Buffer> {
    const { checkingDisabled, dnssecOk, labels, question, type } = query;
    const name = labels.join('.');
    const resolution = resolve(name, type, this.#zone);
    if (resolution) return this.#fromZone(query, resolution, transport);
    if (this.#forwarder.isOwnQuestion(name)) return encodeFailure(query, RCODE.SERVFAIL);
    const asked = { question: inLowerCase(question), dnssecOk, checkingDisabled };
    const said = await this.#forwarder.forward(asked);
    if (!said) return encodeFailure(query, RCODE.SERVFAIL);
    return answerFrom(said.message, query, said.ageSeconds, transport);
  }

  async #fromZone(query: Query, resolution: Resolution, transport: Transport): Promise<Buffer> {
    const { exists, beyond, negativeTtlSeconds, additionals } = resolution;
    const ours = resolution.answers.map(withTtl);
    if (beyond !== undefined) {
      const theirs = await askBeyond(this.#forwarder, beyond, query);
      const answers = [...ours, ...theirs.answers];
      const { rcode, truncated } = theirs;
      return encodeAnswer(
        query,
        { rcode, truncated, authoritative: false, answers, authorities: [], additionals: [] },
        transport,
      );
    }
    const isNegative = !exists || ours.every((record) => record.type === 'CNAME' && query.type !== 'CNAME');
    return encodeAnswer(
      query,
      {
        rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
        authoritative: true,
        answers: rotated(ours, this.#chance()),
        authorities: isNegative ? [negativeAuthority(this.#zone.domain, negativeTtlSeconds)] : [],
        additionals: additionals.map(withTtl),
      },
      transport,
    );
  }
}
