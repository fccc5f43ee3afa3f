// Requests that last: logs, exec, attach, port-forward and proxies. They take a place among the open streams for as
// long as they are open, and find their pod; streams/ and proxy/ do the rest.
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { badRequest, pathNotFound, serviceUnavailable } from '../../../api/errors.ts';
import type { Pod } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import type { Clock } from '../../../base/clock.ts';
import {
  type ConnectHandler,
  type ConnectRequest,
  type ConnectSubresource,
  isConnect,
} from '../../connect.ts';
import type { PodProxy, ProxyRequest } from '../../proxy/proxy.ts';
import type { ApiServer, User } from '../../request.ts';
import type { Exchange } from '../port/exchange.ts';
import { endWhenIdle } from '../port/idle-socket.ts';
import type { Limits } from '../traffic/limits.ts';
import { signalWhenPodGone } from './pod-gone.ts';
import type { ResourceRoute } from './route.ts';

export type StreamKind = ConnectSubresource | 'proxy';

export interface StreamParts {
  api: ApiServer;
  connect: ConnectHandler | undefined;
  /** Without it, nothing is proxied. */
  proxy?: PodProxy;
  limits: Limits;
  clock: Clock;
}

/** How long nothing may move on an upgraded connection (kubelet's streamingConnectionIdleTimeout). */
const IDLE_MS = 4 * 60 * 60_000;

/** What is known of a request before it is served. */
export interface StreamRequest {
  route: ResourceRoute;
  user: User;
  /** Whom it is fair to and against. */
  flow: string;
  query: URLSearchParams;
}

/** The kind of stream that a route opens; undefined for every other request. */
export function streamKindOf({ resource, subresource = '' }: ResourceRoute): StreamKind | undefined {
  if (!resource.actions || !Object.hasOwn(resource.actions, subresource)) return undefined;
  return isConnect(subresource) || subresource === 'proxy' ? subresource : undefined;
}

/** A request without an upgrade: logs, and proxies. */
export async function serveStream(
  parts: StreamParts,
  kind: StreamKind,
  request: StreamRequest,
  exchange: Exchange,
): Promise<void> {
  const leave = parts.limits.openStream(kind, request.flow);
  try {
    if (kind === 'proxy') {
      await proxyOf(parts).request(proxyRequest(request, exchange, exchange.signal), exchange);
      return;
    }
    if (kind !== 'log') throw badRequest('Upgrade request required');
    const pod = await podOf(parts.api, request);
    const { query, user } = request;
    await handlerOf(parts).request(
      { pod, subresource: kind, query, user, signal: exchange.signal },
      exchange,
    );
  } finally {
    leave();
  }
}

/**
 * The same for a connection that is to be upgraded. Resolves when it is handed over, which may be before it ends.
 * @throws StatusError as long as nothing was answered on the socket.
 */
export async function serveUpgrade(
  parts: StreamParts,
  kind: StreamKind,
  request: StreamRequest,
  exchange: Pick<Exchange, 'method' | 'target' | 'signal'>,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const leave = parts.limits.openStream(kind, request.flow);
  if (socket.destroyed) leave();
  else socket.once('close', leave);
  if (socket instanceof Socket) endWhenIdle(parts.clock, socket, IDLE_MS);
  if (kind === 'proxy') {
    await proxyOf(parts).upgrade(proxyRequest(request, exchange, exchange.signal), message, socket, head);
    return;
  }
  const pod = await podOf(parts.api, request);
  const { query, user } = request;
  let { signal } = exchange;
  if (kind === 'portforward') {
    // A command ends with its container; a forwarded port would stay open, and lead nowhere.
    signal = signalWhenPodGone(parts, request.route.resource, pod, user, signal);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  }
  const connect: ConnectRequest = { pod, subresource: kind, query, user, signal };
  await handlerOf(parts).upgrade(connect, message, socket, head);
}

function proxyRequest(
  { route, user }: StreamRequest,
  { method, target }: Pick<Exchange, 'method' | 'target'>,
  signal: AbortSignal,
): ProxyRequest {
  return { route, user, method, target, signal };
}

async function podOf(api: ApiServer, { route, user }: StreamRequest): Promise<Stored<Pod>> {
  const { resource, namespace, name } = route;
  const result = await api.handle({ verb: 'get', resource, namespace, name, user, options: {} });
  if (result.type !== 'object') throw pathNotFound();
  // Only pods declare these subresources.
  return result.object as Stored<Pod>;
}

function proxyOf({ proxy }: StreamParts): PodProxy {
  if (proxy) return proxy;
  throw serviceUnavailable(
    'streams into pods are not served here: this server has no network of pods to reach',
  );
}

function handlerOf({ connect }: StreamParts): ConnectHandler {
  if (connect) return connect;
  throw serviceUnavailable('streams into pods are not served here: this server has no node to reach');
}
