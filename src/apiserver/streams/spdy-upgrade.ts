// The HTTP side of a SPDY/3.1 upgrade: which sub-protocol both speak, and the answer that hands over the socket
// (apimachinery pkg/util/httpstream).
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../../api/errors.ts';

const HEADER = 'x-stream-protocol-version';

/** The protocols in a header that lists them, however often and however joined. */
export function offeredProtocols(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .flatMap((line) => line.split(','))
    .map((protocol) => protocol.trim())
    .filter(Boolean);
}

/**
 * Answers the upgrade; the socket then carries SPDY frames.
 * @throws StatusError if it is no SPDY upgrade or no protocol is shared.
 */
export function acceptSpdy(
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  supported: readonly string[],
): Duplex {
  if ((message.headers.upgrade ?? '').toLowerCase() !== 'spdy/3.1') {
    throw badRequest(`unable to upgrade: expected websocket or SPDY/3.1, got ${message.headers.upgrade}`);
  }
  const offered = offeredProtocols(message.headers[HEADER]);
  const chosen = supported.find((protocol) => offered.includes(protocol));
  if (!chosen) {
    throw badRequest(
      `unable to upgrade: none of [${offered.join(' ')}] is supported; use ${supported.join(' or ')}`,
    );
  }
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  socket.write(`${lines.join('\r\n')}\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
