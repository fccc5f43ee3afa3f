// Port-forward over a plain WebSocket, without SPDY inside: the ports are in the query, and each has two channels, data
// and errors, which begin with the port's number (kubelet pkg/cri/streaming/portforward/websocket.go).
import { pipeline, Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { badRequest } from '../../api/errors.ts';
import { complaint, type OpenPort } from './port-forward.ts';
import { type Framing, framingOf } from './websocket-framing.ts';

/** Connections that one WebSocket may carry: a channel's number is one byte, and each takes two. */
const MAX_PORTS = 128;

/** The ports of a query: `ports=80,443&ports=8080`. Throws BadRequest. */
export function portsOf(query: URLSearchParams): number[] {
  const lists = query.getAll('ports');
  if (lists.length === 0) throw badRequest('query parameter "ports" is required');
  const ports = lists.flatMap((list) => {
    if (list === '') throw badRequest('query parameter "ports" cannot be empty');
    return list.split(',').map((text) => {
      const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (Number.isNaN(port) || port > 65_535) {
        throw badRequest(`unable to parse ${JSON.stringify(list)} as a port`);
      }
      if (port < 1) throw badRequest(`port ${JSON.stringify(list)} must be > 0`);
      return port;
    });
  });
  if (ports.length > MAX_PORTS) throw badRequest(`at most ${MAX_PORTS} ports can be forwarded at once`);
  return ports;
}

/** Forwards until all connections have ended or the client has gone. */
export function serveWebsocketPorts(socket: WebSocket, ports: readonly number[], openPort: OpenPort): void {
  const framing = framingOf(socket);
  const incoming = ports.map(() => new Readable({ read: () => socket.resume() }));
  socket.on('message', (data, isBinary) => {
    const message = framing.read(data, isBinary);
    // Error channels are the server's to write.
    if (!message || message.channel % 2 === 1) return;
    const port = incoming[message.channel / 2];
    if (port && !port.destroyed && !port.push(message.bytes)) socket.pause();
  });
  socket.on('error', () => socket.terminate());
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  void Promise.all(
    ports.map((port, index) => {
      const data = incoming[index];
      if (!data) return undefined;
      return forwardPort(framing, index, port, data, openPort, gone.signal).finally(() => {
        // One port that nobody reads any more holds up none of the others.
        data.destroy();
        socket.resume();
      });
    }),
  ).then(() => socket.close(1000));
}

/** Resolves when the connection to the port has ended, whoever ended it. */
async function forwardPort(
  framing: Framing,
  index: number,
  port: number,
  incoming: Readable,
  openPort: OpenPort,
  gone: AbortSignal,
): Promise<void> {
  const [dataChannel, errorChannel] = [index * 2, index * 2 + 1];
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  await Promise.all([framing.send(dataChannel, number), framing.send(errorChannel, number)]);
  try {
    const connection = await openPort(port);
    const outgoing = framing.channel(dataChannel);
    const end = (): void => void connection.destroy();
    gone.addEventListener('abort', end);
    if (gone.aborted) end();
    incoming.pipe(connection);
    await new Promise<void>((resolve, reject) => {
      pipeline(connection, outgoing, (error) => (error && !gone.aborted ? reject(error) : resolve()));
    }).finally(() => gone.removeEventListener('abort', end));
  } catch (error) {
    await framing.send(errorChannel, Buffer.from(complaint(port, error)));
  }
}
