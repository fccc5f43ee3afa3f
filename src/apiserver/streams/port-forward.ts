// Port-forward: SPDY/3.1 streams, two for each connection (data and error, paired by `requestID`), either over a
// plain SPDY upgrade or inside a WebSocket (`SPDY/3.1+portforward.k8s.io`, kubectl since 1.31).
import { Duplex, pipeline } from 'node:stream';
import type { WebSocket } from 'ws';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import { SpdySession, type SpdyStream } from '../../wire/spdy/session.ts';

/** The sub-protocol of a plain SPDY upgrade, and its name when it is tunnelled through a WebSocket. */
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';
export const TUNNELLED_PORT_FORWARD_PROTOCOL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`;

/** Opens a connection to a port in the pod. */
export type OpenPort = (port: number) => Promise<Duplex>;

/** Serves forwarded connections until the client ends the connection. */
export function servePortForward(socket: Duplex, openPort: OpenPort, log: Log): void {
  const waiting = new Map<string, { data?: SpdyStream; error?: SpdyStream }>();
  new SpdySession(socket, 'server', {
    onStream(stream) {
      const { requestid = '', streamtype } = stream.headers;
      const pair = { ...waiting.get(requestid), [streamtype === 'error' ? 'error' : 'data']: stream };
      if (!pair.data || !pair.error) {
        waiting.set(requestid, pair);
        // One whose other half never comes is not waited for longer than it lasts.
        stream.once('close', () => waiting.delete(requestid));
        return;
      }
      waiting.delete(requestid);
      void forward(pair.data, pair.error, openPort);
    },
    onClose(error) {
      if (error) log.debug('a port-forward connection ended', { error: error.message });
    },
  });
}

async function forward(data: SpdyStream, error: SpdyStream, openPort: OpenPort): Promise<void> {
  const port = Number(data.headers.port);
  try {
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw new Error(`${data.headers.port} is not a port`);
    const connection = await openPort(port);
    const ignore = (): void => {};
    pipeline(data, connection, ignore);
    // A runtime may find out only afterwards that nobody listens.
    pipeline(connection, data, (problem) => error.end(problem ? complaint(port, problem) : undefined));
  } catch (problem) {
    error.end(complaint(port, problem));
    data.end();
  }
}

/** Why a connection could not be had, or ended, as the client shows it. */
export function complaint(port: number, problem: unknown): string {
  const why = errorText(problem);
  return `error forwarding port ${port} to the pod: ${why}`;
}

/** A WebSocket's binary messages as one stream of bytes. */
export function websocketBytes(socket: WebSocket): Duplex {
  const bytes = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, (error) => done(error)),
    final(done) {
      socket.close(1000);
      done();
    },
    destroy(error, done) {
      // In order, the closing handshake is under way already: what comes before its end is nobody's any more.
      if (error) socket.terminate();
      else socket.resume();
      done(error);
    },
  });
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data) && !bytes.destroyed && !bytes.push(data)) socket.pause();
  });
  socket.once('close', () => {
    if (!bytes.readableEnded && !bytes.destroyed) bytes.push(null);
  });
  socket.on('error', (error) => bytes.destroy(error));
  return bytes;
}
