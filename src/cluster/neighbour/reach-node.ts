// The API process's side: a node process that it reaches over its socket, as the streams and the commands it offers.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Duplex, type Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import type { LogOptions, NodeStreams, PodTarget, Session } from '../../api/between/node-streams.ts';
import type { CancelTimer, Clock } from '../../base/clock.ts';
import {
  CHANNELS,
  errorOf,
  type Failure,
  type NodeConnection,
  type NodeHello,
  SESSION,
} from './node-protocol.ts';
import type { SessionRequest } from './serve-node.ts';

/** How long a node process may take to say who it is: one that does not even do that hangs. */
const HELLO_LIMIT_MS = 5_000;

/** There was no answer: it has died, or dies. */
export class NodeLostError extends Error {}

/** A node process that has answered; good until `gone`. */
export class ReachedNode implements NodeStreams {
  /** Resolves when the process has ended, or this one has left it. */
  readonly gone: Promise<void>;
  readonly #socketPath: string;
  /** Is open as long as the process lives. */
  readonly #alive: ClientRequest;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
    this.#alive = this.#begin('GET', '/alive');
    this.#alive.end();
    this.#alive.on('response', (response) => response.resume());
    this.gone = new Promise((resolve) => this.#alive.once('close', resolve));
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

  /** Asks nothing more of it; the process goes on. */
  leave(): void {
    this.#alive.destroy();
  }

  async *logs(target: PodTarget, options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const response = await this.#ask('POST', '/logs', { target, options }, signal);
    try {
      for await (const chunk of response) yield chunk;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      response.destroy();
    }
  }

  exec: NodeStreams['exec'] = (target, options) => this.#session({ type: 'exec', target, options });

  attach: NodeStreams['attach'] = (target, options) => this.#session({ type: 'attach', target, options });

  async portForward(target: Omit<PodTarget, 'container'>, port: number): Promise<Duplex> {
    return new ForwardedPort(await this.#session({ type: 'port', target, port }));
  }

  async #session(asked: SessionRequest): Promise<Session> {
    const control = this.#begin('POST', '/sessions');
    control.write(`${JSON.stringify(asked)}\n`);
    const opened = await answerTo(control);
    const channels = String(opened.headers[CHANNELS]).split(',');
    const headers = { [SESSION]: String(opened.headers[SESSION]) };
    const input = (): ClientRequest => {
      const stdin = this.#begin('POST', '/stdin', headers);
      stdin.flushHeaders();
      // Answered when the command takes no more.
      stdin.on('response', (response) => {
        response.resume();
        stdin.destroy();
      });
      return stdin;
    };
    const output = async (name: string): Promise<Readable | undefined> => {
      if (!channels.includes(name)) return undefined;
      const outgoing = this.#begin('GET', `/${name}`, headers);
      outgoing.end();
      return answerTo(outgoing);
    };
    const close = (): void => void control.destroy();
    const [stdout, stderr] = await Promise.all([output('stdout'), output('stderr')]).catch(
      (error: unknown) => {
        close();
        throw error;
      },
    );
    return {
      stdin: channels.includes('stdin') ? input() : undefined,
      stdout,
      stderr,
      resize(columns, rows) {
        if (control.writable) control.write(`${JSON.stringify({ columns, rows })}\n`);
      },
      exit: outcomeOf(opened).finally(() => control.end()),
      close,
    };
  }

  async #json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    // What the other side of this protocol answers.
    return (await json(await this.#ask(method, path, body, signal))) as T;
  }

  /** Sends a whole request; resolves when it is answered. Throws what the node says of why it is not. */
  #ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const outgoing = this.#begin(method, path, {}, signal);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return answerTo(outgoing);
  }

  #begin(method: string, path: string, headers = {}, signal?: AbortSignal): ClientRequest {
    const socketPath = this.#socketPath;
    const outgoing = request({
      socketPath,
      method,
      path,
      headers,
      agent: false,
      signal,
    });
    // Whoever waits for its answer, reads or writes it hears of it, too.
    outgoing.on('error', () => {});
    return outgoing;
  }
}

function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (response) => {
      response.on('error', () => {});
      if (response.statusCode === 200) return resolve(response);
      json(response).then((failure) => reject(errorOf(failure as Failure)), reject);
    });
    outgoing.once('error', (cause) =>
      reject(new NodeLostError(`the node process cannot be reached: ${cause.message}`, { cause })),
    );
    outgoing.once('close', () => reject(new NodeLostError('the node process ended before it had answered')));
  });
}

async function outcomeOf(opened: IncomingMessage): Promise<{ exitCode: number; error?: string }> {
  const answer = await text(opened).catch(() => '');
  if (answer === '') throw new Error('the connection to the node process was lost');
  const outcome: { exitCode: number; error?: string } | { failure: Failure } = JSON.parse(answer);
  if ('failure' in outcome) throw errorOf(outcome.failure);
  return outcome;
}

/** The bytes of a forwarded port. That the pod's side has broken is told after its last byte. */
class ForwardedPort extends Duplex {
  readonly #session: Session;

  constructor(session: Session) {
    super();
    this.#session = session;
    const { exit, stdout } = session;
    stdout?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    let isWhole = false;
    stdout?.once('end', () => {
      isWhole = true;
      this.push(null);
    });
    exit.then(
      ({ error }) => {
        if (error !== undefined) this.destroy(new Error(error));
        else if (!isWhole) stdout?.resume();
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _read(): void {
    this.#session.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { stdin } = this.#session;
    // Where nothing more is taken, it goes nowhere: why, the end of the session says.
    if (stdin?.writable) stdin.write(chunk, () => done());
    else done();
  }

  override _final(done: () => void): void {
    this.#session.stdin?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#session.close();
    done(error);
  }
}

/** The node process that listens on a socket, and what it says of itself; undefined if none answers. */
export async function reachNode(
  socketPath: string,
  clock: Clock,
): Promise<{ node: ReachedNode; hello: NodeHello } | undefined> {
  const node = new ReachedNode(socketPath);
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
