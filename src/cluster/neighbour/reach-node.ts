// The API process's side: a node process that it reaches over its socket, as the streams and the commands it offers.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { Duplex } from 'node:stream';
import type { LogOptions, NodeStreams, PodTarget, Session } from '../../api/between/node-streams.ts';
import type { CancelTimer, Clock } from '../../base/clock.ts';
import {
  CHANNELS,
  errorOf,
  FAILURE,
  type Failure,
  type NodeConnection,
  type NodeHello,
  SESSION,
  SETTINGS,
  WINDOW_BYTES,
} from './node-protocol.ts';
import type { SessionRequest } from './serve-node.ts';

interface Answer {
  stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders;
}

/** How long a node process may take to say who it is: one that does not even do that hangs. */
const HELLO_LIMIT_MS = 5_000;

/** A connection to a node process. It is made by `reachNode`, and good until `gone`. */
export class ReachedNode implements NodeStreams {
  /** Resolves when the connection is lost. */
  readonly gone: Promise<void>;
  readonly #connection: ClientHttp2Session;

  constructor(connection: ClientHttp2Session) {
    this.#connection = connection;
    this.gone = new Promise((resolve) => connection.once('close', resolve));
  }

  hello(): Promise<NodeHello> {
    return this.#json('GET', '/hello');
  }

  async connectTo(connection: NodeConnection): Promise<void> {
    await this.#json('PUT', '/connection', connection);
  }

  loadImage(file: string, signal: AbortSignal): Promise<string[]> {
    return this.#json('POST', `/images?file=${encodeURIComponent(file)}`, undefined, signal);
  }

  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>> {
    return this.#json('GET', '/images');
  }

  metrics(): Promise<string> {
    return this.#json('GET', '/metrics');
  }

  /** Lets it end: with its pods, or without them. It is gone soon after. */
  async end(how: 'stop' | 'close'): Promise<void> {
    await this.#json('POST', `/${how}`);
  }

  /** Ends the connection; the node process goes on. */
  leave(): void {
    this.#connection.destroy();
  }

  async *logs(target: PodTarget, options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { stream } = await this.#answer('POST', '/logs', { target, options }, signal);
    try {
      for await (const chunk of stream) yield chunk;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stream.close();
    }
  }

  exec: NodeStreams['exec'] = (target, options) => this.#session({ type: 'exec', target, options });

  attach: NodeStreams['attach'] = (target, options) => this.#session({ type: 'attach', target, options });

  async portForward(target: Omit<PodTarget, 'container'>, port: number): Promise<Duplex> {
    const request = encodeURIComponent(JSON.stringify({ target, port }));
    const stream = this.#request('POST', `/ports?request=${request}`);
    await answered(stream);
    return new ForwardedPort(stream);
  }

  async #session(asked: SessionRequest): Promise<Session> {
    const stream = this.#request('POST', '/sessions');
    stream.write(`${JSON.stringify(asked)}\n`);
    const { headers } = await answered(stream);
    const channels = String(headers[CHANNELS]).split(',');
    const channel = (method: 'GET' | 'POST', name: string): ClientHttp2Stream | undefined => {
      if (!channels.includes(name)) return undefined;
      const opened = this.#request(method, `/${name}`, { [SESSION]: headers[SESSION] });
      if (method === 'POST') opened.resume();
      return opened;
    };
    const [stdin, stdout, stderr] = [
      channel('POST', 'stdin'),
      channel('GET', 'stdout'),
      channel('GET', 'stderr'),
    ];
    return {
      ...(stdin ? { stdin } : {}),
      ...(stdout ? { stdout } : {}),
      ...(stderr ? { stderr } : {}),
      resize(columns, rows) {
        if (!stream.writableEnded && !stream.destroyed)
          stream.write(`${JSON.stringify({ columns, rows })}\n`);
      },
      exit: outcomeOf(stream).finally(() => stream.end()),
      close: () => stream.close(constants.NGHTTP2_CANCEL),
    };
  }

  async #json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const { stream } = await this.#answer(method, path, body, signal);
    // What the other side of this protocol answers.
    return JSON.parse(await textOf(stream));
  }

  /** Sends a whole request; resolves when it is answered. Throws what the node says of why it is not. */
  #answer(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    const stream = this.#request(method, path);
    if (method !== 'GET') stream.end(body === undefined ? undefined : JSON.stringify(body));
    const giveUp = (): void => stream.close(constants.NGHTTP2_CANCEL);
    signal?.addEventListener('abort', giveUp, { once: true });
    stream.once('close', () => signal?.removeEventListener('abort', giveUp));
    if (signal?.aborted) giveUp();
    return answered(stream);
  }

  #request(method: string, path: string, headers: object = {}): ClientHttp2Stream {
    if (this.#connection.destroyed) throw new Error('the node process cannot be reached');
    const stream = this.#connection.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: method === 'GET' },
    );
    // Whoever reads or writes it hears of it, too.
    stream.on('error', () => {});
    return stream;
  }
}

/** Resolves when the head of an answer has come. */
function answered(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => {
      if (headers[':status'] === 200) return resolve({ stream, headers });
      textOf(stream).then((text) => reject(errorOf(JSON.parse(text) as Failure)), reject);
    });
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the node process ended before it had answered')));
  });
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function outcomeOf(stream: ClientHttp2Stream): Promise<{ exitCode: number; error?: string }> {
  const text = await textOf(stream).catch(() => '');
  if (text === '') throw new Error('the connection to the node process was lost');
  const outcome: { exitCode: number; error?: string } | { failure: Failure } = JSON.parse(text);
  if ('failure' in outcome) throw errorOf(outcome.failure);
  return outcome;
}

/** The bytes of a forwarded port. That the pod's side has broken is told after its last byte. */
class ForwardedPort extends Duplex {
  readonly #stream: ClientHttp2Stream;
  #failure = '';

  constructor(stream: ClientHttp2Stream) {
    super();
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('trailers', (trailers) => {
      this.#failure = decodeURIComponent(String(trailers[FAILURE] ?? ''));
    });
    stream.once('end', () => {
      if (this.#failure) this.destroy(new Error(this.#failure));
      else this.push(null);
    });
    stream.once('close', () => {
      if (!stream.readableEnded) this.destroy(new Error('the connection to the node process was lost'));
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    done(error);
  }
}

/** The node process that listens on a socket, and what it says of itself; undefined if none answers. */
export async function reachNode(
  socketPath: string,
  clock: Clock,
): Promise<{ node: ReachedNode; hello: NodeHello } | undefined> {
  const connection = connect('http://node', {
    ...SETTINGS,
    createConnection: () => connectSocket(socketPath),
  });
  connection.on('error', () => {});
  connection.once('connect', () => connection.setLocalWindowSize(WINDOW_BYTES));
  const node = new ReachedNode(connection);
  let cancel: CancelTimer = () => {};
  try {
    const silent = new Promise<never>((_resolve, reject) => {
      cancel = clock.after(HELLO_LIMIT_MS, () => reject(new Error('it does not answer')));
    });
    return { node, hello: await Promise.race([node.hello(), silent]) };
  } catch {
    node.leave();
    return undefined;
  } finally {
    cancel();
  }
}
