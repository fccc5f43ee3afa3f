// pods/proxy and services/proxy: finds where a request goes, and passes it on. HTTP has authenticated and authorized.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { serviceUnavailable } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Exchange } from '../http/port/exchange.ts';
import type { ResourceRoute } from '../http/routes/route.ts';
import type { ApiServer, User } from '../request.ts';
import { destinationOf, type ReadObject } from './destination.ts';
import { type Forwarding, forward, forwardUpgrade } from './forward.ts';
import type { Passage } from './headers.ts';

/** Methods that change nothing are led to a path that ends in a slash, so that relative links work. */
const REDIRECTED = ['GET', 'HEAD'];

export interface ProxyRequest {
  route: ResourceRoute;
  user: User;
  method: string;
  /** Path and query, as sent. */
  target: string;
  signal: AbortSignal;
}

export class PodProxy {
  readonly #api: ApiServer;
  readonly #clock: Clock;
  #turn = 0;

  constructor(api: ApiServer, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Throws a StatusError as long as nothing is answered. */
  async request(request: ProxyRequest, exchange: Exchange): Promise<void> {
    const { raw } = exchange;
    if (!raw) {
      throw serviceUnavailable('only requests that came over a network can be passed on');
    }
    const { prefix, rest } = splitTarget(request.target);
    if ((rest === '' || rest.startsWith('?')) && REDIRECTED.includes(request.method)) {
      exchange.respond(301, { location: `${prefix}/${rest}` }, Buffer.alloc(0));
      return;
    }
    const { hasBody, remoteAddress } = raw;
    const passage: Passage = { prefix, rest: asPath(rest), clientAddress: remoteAddress, hasBody };
    await forward(exchange, raw, await this.#forwarding(request, passage));
  }

  /** The same for a connection that is to be upgraded. */
  async upgrade(
    request: ProxyRequest,
    message: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const { prefix, rest } = splitTarget(request.target);
    const clientAddress = message.socket.remoteAddress ?? '';
    const passage: Passage = { prefix, rest: asPath(rest), clientAddress, hasBody: false };
    await forwardUpgrade(message, socket, head, await this.#forwarding(request, passage));
  }

  async #forwarding({ route, user, signal }: ProxyRequest, passage: Passage): Promise<Forwarding> {
    const { namespace, name = '', resource } = route;
    const read: ReadObject = async (plural, objectName) => {
      const kind = this.#api.resource('', 'v1', plural);
      if (!kind) throw new Error(`there are no ${plural} here`);
      const key = { namespace, name: objectName };
      const result = await this.#api.handle({ verb: 'get', resource: kind, ...key, user, options: {} });
      if (result.type !== 'object') throw new Error(`a get of ${plural} gave no object`);
      // What was stored has all metadata.
      return result.object as Awaited<ReturnType<ReadObject>>;
    };
    const destination = await destinationOf(resource.plural, name, read, this.#turn++);
    return { destination, passage, clock: this.#clock, signal };
  }
}

const asPath = (rest: string): string => (rest.startsWith('/') ? rest : `/${rest}`);

/** `/api/v1/namespaces/NS/pods/NAME/proxy` and what comes after it, neither decoded nor tidied up. */
function splitTarget(target: string): { prefix: string; rest: string } {
  const match = /^((?:\/+[^/?]+){6}\/+proxy)(.*)$/s.exec(target);
  return { prefix: match?.[1] ?? target, rest: match?.[2] ?? '' };
}
