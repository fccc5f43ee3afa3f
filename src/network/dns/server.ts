// The cluster's DNS server: UDP and TCP on the addresses it is given. Answers about the cluster come from the informers'
// caches (zone.ts), everything else from the machine's resolvers. Nothing is remembered of what was asked.
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
import { askBeyond } from './beyond.ts';
import { createForwarder, type Forwarder } from './forward.ts';
import { type AnswerMessage, type Listener, listenTcp, listenUdp } from './listen.ts';
import { type Query, RCODE, readQuestion } from './question.ts';
import { type Resolution, resolve, type Zone } from './resolve.ts';
import { zoneOf } from './zone.ts';

const DNS_PORT = 53;
/** How many are tried when any will do. */
const MOST_FREE_PORTS = 10;

export interface DnsOptions {
  /** Where to listen; all on the same port. */
  addresses: readonly string[];
  /** 53 for pods; 0 for any free one. */
  port: number;
  /** `cluster.local` */
  domain: string;
  /** Resolvers for names outside the cluster. */
  forwardTo: readonly string[];
  /** The port of those resolvers, if it is another than 53. */
  forwardPort?: number;
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
  const zone = zoneOf(informers, options.domain, options.addresses[0] ?? '127.0.0.1');
  const forwarder = createForwarder(options.forwardTo, clock, options.forwardPort ?? DNS_PORT);
  await zone.synced;

  const answerer = new Answerer(zone, forwarder, () => context.random.next());
  const answer: AnswerMessage = async (message, transport) => {
    const query = readQuestion(message);
    if (!query) return undefined;
    if ('rcode' in query) return encodeRefusal(query);
    try {
      return await answerer.answer(query, message, transport);
    } catch (error) {
      log.error('a question could not be answered', error, {
        name: query.labels.join('.'),
        type: query.type,
      });
      return encodeFailure(query, RCODE.SERVFAIL);
    }
  };

  const stop = (): void => {
    zone.close();
    forwarder.close();
  };
  try {
    const { port, listeners } = await listen(options, answer, clock);
    log.info('DNS answers', { addresses: options.addresses.join(','), port, domain: options.domain });
    return {
      port,
      async close() {
        stop();
        await closeAll(listeners);
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Which port is free is chosen for UDP; for TCP somebody may have it, and then another is tried. */
async function listen(
  { addresses, port: wanted }: DnsOptions,
  answer: AnswerMessage,
  clock: Clock,
): Promise<{ port: number; listeners: Listener[] }> {
  for (let attempt = 1; ; attempt++) {
    const listeners: Listener[] = [];
    let port = wanted;
    try {
      for (const address of addresses) {
        const udp = await listenUdp(address, port, answer);
        listeners.push(udp);
        port = udp.port;
        listeners.push(await listenTcp(address, port, answer, clock));
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

  async answer(query: Query, message: Buffer, transport: Transport): Promise<Buffer> {
    const { labels, type } = query;
    const resolution = resolve(labels.join('.'), type, this.#zone);
    if (resolution) return this.#fromZone(query, resolution, transport);
    const answer = await this.#forwarder.forward(message, query.question, transport);
    return answer ?? encodeFailure(query, RCODE.SERVFAIL);
  }

  async #fromZone(query: Query, resolution: Resolution, transport: Transport): Promise<Buffer> {
    const { exists, beyond, negativeTtlSeconds, additionals } = resolution;
    const ours = resolution.answers.map(withTtl);
    if (beyond !== undefined) {
      const id = Math.floor(this.#chance() * 0x1_0000);
      const theirs = await askBeyond(this.#forwarder, beyond, query.typeCode, id);
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
