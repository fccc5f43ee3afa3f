// How many connections there may be, and how long they may do nothing: each is memory and a descriptor, and most
// clients never have more than a few.
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** All together: well below the descriptors that a process may have, for it needs them for other things too. */
export const MAX_CONNECTIONS = 10_000;
/** From one address that is not this machine's own. */
const MAX_OF_ADDRESS = 1_000;
/** How long a client may take to agree on TLS, and to send the headers of a request. */
export const HANDSHAKE_MS = 10_000;
/** How long a connection on which nothing is asked stays (http.Server's IdleTimeout in upstream's server). */
const IDLE_MS = 90_000;

const isLocal = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/.test(address);

/** Counts connections by address; one that is too many is closed at once. */
export class Connections {
  readonly #ofAddress = new Map<string, number>();

  admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const others = this.#ofAddress.get(address) ?? 0;
    if (others >= MAX_OF_ADDRESS && !isLocal(address)) {
      socket.destroy();
      return;
    }
    this.#ofAddress.set(address, others + 1);
    socket.once('close', () => {
      const left = (this.#ofAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    });
  }
}

/** Closes an HTTP/2 connection on which nothing has been open for a while; a silent watch is something. */
export function closeWhenIdle(session: ServerHttp2Session): void {
  let open = 0;
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => open--);
  });
  session.setTimeout(IDLE_MS, () => {
    if (open === 0) session.close();
  });
}
