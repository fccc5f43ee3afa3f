// The cluster's DNS server: UDP and TCP on the addresses it is given. What it answers is answerer.ts's business.
import type { Clock } from '../../base/clock.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createAnswerer } from './answerer.ts';
import { askersOf } from './askers.ts';
import { createForwarder } from './forward.ts';
import { type AnswerMessage, type Listener, listenTcp, listenUdp, type MayAsk } from './listen.ts';
import type { ResolverAddress } from './resolver-address.ts';
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
  /**
   * Gives the resolvers for names outside the cluster, which may be others the next time; this server itself is passed
   * over.
   */
  forwardTo(): Promise<readonly ResolverAddress[]>;
  /** The pods' addresses, in CIDR notation; without it only this machine may ask. */
  podRanges?: readonly string[];
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
  const mayAsk = askersOf(options.podRanges ?? [], clock);
  await zone.synced;

  let answerMessage: AnswerMessage = () => undefined;
  try {
    const { port, listeners } = await listen(
      options,
      (message, transport) => answerMessage(message, transport),
      mayAsk,
      clock,
    );
    const resolvers = async (): Promise<ResolverAddress[]> =>
      (await options.forwardTo()).filter(
        (resolver) => resolver.port !== port || !addresses.includes(resolver.address),
      );
    const forwarder = createForwarder(await resolvers(), resolvers, context);
    answerMessage = createAnswerer(zone, forwarder, context);
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
