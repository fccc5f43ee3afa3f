// The streams into a pod (log, exec, attach, port-forward) as HTTP sees them. HTTP has authenticated, authorized and
// found the pod; a handler that is handed in speaks the protocols and reaches the node.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Pod } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import type { Exchange } from './http/port/exchange.ts';
import type { User } from './request.ts';

/** The subresources of pods that are streams. */
export type ConnectSubresource = 'log' | 'exec' | 'attach' | 'portforward';

export interface ConnectRequest {
  pod: Stored<Pod>;
  subresource: ConnectSubresource;
  /** `container`, `follow`, `command`, `stdin`, …; may hold a key more than once. */
  query: URLSearchParams;
  user: User;
  /** Aborted when the client is gone or the server closes. */
  signal: AbortSignal;
}

/**
 * Both methods may throw a `StatusError` as long as they have answered nothing: the client is then sent the Status.
 * Their promise resolves when the stream has ended.
 */
export interface ConnectHandler {
  /** A request without an upgrade: logs. */
  request(request: ConnectRequest, exchange: Exchange): Promise<void>;
  /** An HTTP/1.1 upgrade (WebSocket, SPDY/3.1): the handler answers it on the socket, which is then its own. */
  upgrade(request: ConnectRequest, message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

export function isConnect(subresource: string | undefined): subresource is ConnectSubresource {
  return ['log', 'exec', 'attach', 'portforward'].includes(subresource ?? '');
}
