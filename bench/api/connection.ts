// One HTTP/1.1 connection of the load generator: raw TLS, one request at a time, the least work that can be done for
// an answer, so that what is measured is the server. It reads answers with a length and chunked ones.
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { parse } from 'yaml';

/** How a kubeconfig says to reach the API. */
export interface Endpoint {
  host: string;
  port: number;
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface Answer {
  code: number;
  body: Buffer;
}

export class Connection {
  readonly #socket: TLSSocket;
  readonly #host: string;
  #parts: Buffer[] = [];
  #have = 0;
  /** Bytes of the answer with its head, once the head has been read; 0 before; -1 for a chunked one. */
  #need = 0;
  #bodyStart = 0;
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  private constructor(socket: TLSSocket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open({ host, port, ca, cert, key }: Endpoint): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket, `${host}:${port}`));
      });
    });
  }

  /** Sends a request and waits for its whole answer. Rejects when the connection breaks. */
  request(method: string, path: string, body = '', contentType = 'application/json'): Promise<Answer> {
    const length = body
      ? `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
      : '';
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nUser-Agent: bench\r\nAccept: application/json\r\n${length}\r\n${body}`,
    );
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Starts a watch: `onData` gets the bytes of the events as they come. Nothing else may be asked afterwards. */
  watch(path: string, onData: (data: Buffer) => void): void {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', onData);
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAccept: application/json\r\n\r\n`);
  }

  close(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#parts.push(data);
    this.#have += data.length;
    if (this.#need === 0) this.#readHead();
    const complete = this.#need > 0 ? this.#have >= this.#need : this.#need < 0 && endsChunks(data);
    if (!complete) return;
    const [only] = this.#parts;
    const whole = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    const resolve = this.#resolve;
    const answer = { code: Number(whole.toString('latin1', 9, 12)), body: whole.subarray(this.#bodyStart) };
    this.#parts = [];
    this.#have = 0;
    this.#need = 0;
    this.#resolve = undefined;
    resolve?.(answer);
  }

  #readHead(): void {
    const start = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const end = start?.indexOf('\r\n\r\n') ?? -1;
    if (!start || end < 0) return;
    this.#bodyStart = end + 4;
    const length = /content-length: (\d+)/i.exec(start.toString('latin1', 0, end))?.[1];
    this.#need = length === undefined ? -1 : this.#bodyStart + Number(length);
  }

  #fail(error: Error): void {
    this.#reject?.(error);
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}

const endsChunks = (data: Buffer): boolean => data.subarray(-5).toString('latin1') === '0\r\n\r\n';

/** Reads where and as whom a kubeconfig of stead's says to speak. */
export function endpointOf(kubeconfig: string): Endpoint {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  const url = new URL(clusters[0].cluster.server);
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  return {
    host: url.hostname,
    port: Number(url.port),
    ca: decode(clusters[0].cluster['certificate-authority-data']),
    cert: decode(users[0].user['client-certificate-data']),
    key: decode(users[0].user['client-key-data']),
  };
}
