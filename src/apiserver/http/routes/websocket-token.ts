// A browser cannot put a header on a WebSocket: its bearer token comes among the sub-protocols that it offers
// (apiserver pkg/authentication/request/websocket/protocol.go).
import type { IncomingMessage } from 'node:http';

const HEADER = 'sec-websocket-protocol';
const PREFIX = 'base64url.bearer.authorization.k8s.io.';

/**
 * The Authorization header that a WebSocket's request brings, wherever it brings it. A token among the sub-protocols
 * is taken out of them, so that nobody further on sees it.
 */
export function authorizationOf({ headers }: IncomingMessage): string | undefined {
  const offered = (headers[HEADER] ?? '').split(',').map((protocol) => protocol.trim());
  const [token, ...more] = offered.filter((protocol) => protocol.startsWith(PREFIX));
  if (token === undefined || (headers.upgrade ?? '').toLowerCase() !== 'websocket')
    return headers.authorization;
  const others = offered.filter((protocol) => !protocol.startsWith(PREFIX));
  headers[HEADER] = others.join(', ');
  // A server must choose one of the protocols that are offered, and the token is none to choose.
  if (headers.authorization !== undefined || more.length > 0 || others.length === 0)
    return headers.authorization;
  return `Bearer ${Buffer.from(token.slice(PREFIX.length), 'base64url').toString()}`;
}
