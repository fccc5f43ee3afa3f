// How the commands speak to the running process: HTTP over a unix socket that only its owner may open. Who can connect
// knows that a stead is running there; that only one does is the store's lock's business.
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { CancelTimer } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import { LockedError, lockFile } from '../../store/file-lock.ts';
import { listenPrivately } from './private-socket.ts';
import { systemClock } from './system-clock.ts';
import { UserError } from './user-error.ts';

/** What a running stead says of itself. */
export interface ProcessInfo {
  pid: number;
  version: string;
  /** `https://127.0.0.1:6443` */
  server: string;
  kubeconfig: string;
  runtime: string;
  /** Where the cluster's DNS server answers, `address:port`. */
  dns: string;
  podCidr: string;
  /** When each certificate ends, RFC 3339; they are renewed before. */
  certificates: Array<{ name: string; until: string }>;
  /** What becomes of traffic to addresses of Services. */
  services: string;
  /** What becomes of NetworkPolicies. */
  policies: string;
  /** How much room the store has on its disk, or that it has hardly any. */
  store: string;
  /** How volumes enforce their size, and why so. */
  volumes: string;
}

export interface ControlHandlers {
  info(): Promise<ProcessInfo>;
  /** Stops everything in order; `say` sends a line of progress. The process ends after it. */
  down(say: (line: string) => void): Promise<void>;
  /** Imports an image archive; returns the names in it. The signal says that whoever asked has gone. */
  loadImage(file: string, signal: AbortSignal): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
}

/**
 * Listens on the socket, in place of one that a killed process has left there.
 * @throws UserError if another stead listens on it.
 */
export async function serveControl(
  socketPath: string,
  handlers: ControlHandlers,
): Promise<() => Promise<void>> {
  // Between looking whether somebody listens and listening, another could do the same.
  const lock = await lockFile(`${socketPath}.lock`).catch(async (error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    // One that hangs is known by its number only.
    throw alreadyRuns((await processInfo(socketPath).catch(() => undefined)) ?? error);
  });
  try {
    const close = await listen(socketPath, handlers);
    return async () => {
      await close();
      lock.release();
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What is said to whoever would start a second one. */
export function alreadyRuns({ pid, server }: { pid?: number | undefined; server?: string }): UserError {
  const which = pid === undefined ? '' : ` (pid ${pid}${server === undefined ? '' : `, ${server}`})`;
  return new UserError(`stead already runs on this data directory${which}.`);
}

async function listen(socketPath: string, handlers: ControlHandlers): Promise<() => Promise<void>> {
  const server = createServer(async (incoming, response) => {
    try {
      const { method, url = '/' } = incoming;
      const { pathname, searchParams } = new URL(url, 'http://stead');
      if (method === 'GET' && pathname === ALIVE) return response.end();
      if (method === 'GET' && pathname === '/') return response.end(JSON.stringify(await handlers.info()));
      if (method === 'GET' && pathname === '/images')
        return response.end(JSON.stringify(await handlers.listImages()));
      if (method === 'POST' && pathname === '/images') {
        const file = searchParams.get('file') ?? '';
        return response.end(JSON.stringify(await handlers.loadImage(file, goneSignal(response))));
      }
      if (method === 'POST' && pathname === '/down') {
        await handlers.down((line) => response.write(`${line}\n`));
        return response.end();
      }
      response.writeHead(404).end(`no such command: ${method} ${pathname}`);
    } catch (error) {
      const message = errorText(error);
      if (!response.headersSent) return response.writeHead(500).end(message);
      // Lines of progress have been sent as those of a success.
      response.addTrailers({ [FAILURE]: encodeURIComponent(message) });
      response.end();
    }
  });
  await listenPrivately(server, socketPath);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      // Commands that wait for a stead that never came up are let go.
      server.closeAllConnections();
    });
}

/** Aborts when the client hangs up before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** The trailer that says why a command failed after it had begun to answer. */
const FAILURE = 'stead-failure';
/** Answered at once, whatever else the process does. */
const ALIVE = '/alive';
/** How long a process may take. */
export interface Patience {
  /** How often one that takes its time over a command is asked whether it is alive. */
  askMs: number;
  /** One that does not even say so for this long hangs. */
  hungMs: number;
}

const PATIENCE: Patience = { askMs: 5_000, hungMs: 20_000 };

/**
 * What the process on this socket says of itself, once it has started; undefined if there is none.
 * @throws HungError if there is one that does not answer.
 */
export async function processInfo(socketPath: string): Promise<ProcessInfo | undefined> {
  try {
    return JSON.parse(await call(socketPath, 'GET', '/'));
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
}

/** Nobody listens on the socket. */
export class NotRunningError extends Error {}

/** Somebody listens on the socket and does not answer: stopped, or at one thing without end. */
export class HungError extends UserError {
  constructor() {
    super(
      `stead runs, but does not answer: \`stead down\` ends it and its pods, and a kill -9 of its process lets the pods go on.`,
    );
    this.name = 'HungError';
  }
}

/**
 * Sends one command. It may take as long as it takes, as long as the process is alive.
 * @param onText gets the reply as it comes.
 * @throws NotRunningError, HungError, or UserError with what the process answered.
 */
export async function call(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  onText: (text: string) => void = () => {},
  patience: Patience = PATIENCE,
): Promise<string> {
  const outgoing = request({ socketPath, method, path, agent: false });
  const watch = new AliveWatch(socketPath, patience, () => outgoing.destroy());
  try {
    const response = await responseTo(outgoing);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (response.statusCode === 200) onText(chunk);
    }
    const failure = response.trailers[FAILURE];
    if (failure !== undefined) throw new UserError(decodeURIComponent(failure));
    if (response.statusCode !== 200) throw new UserError(text);
    return text;
  } catch (error) {
    if (watch.hung) throw new HungError();
    if (error instanceof UserError || error instanceof NotRunningError) throw error;
    throw new UserError('stead ended before it had answered: give the same command again.', { cause: error });
  } finally {
    watch.end();
  }
}

/** Asks the process again and again whether it is alive, while it takes its time over a command. */
class AliveWatch {
  hung = false;
  readonly #socketPath: string;
  readonly #patience: Patience;
  readonly #onHung: () => void;
  #cancel: CancelTimer;
  #question: ClientRequest | undefined;

  constructor(socketPath: string, patience: Patience, onHung: () => void) {
    this.#socketPath = socketPath;
    this.#patience = patience;
    this.#onHung = onHung;
    this.#cancel = systemClock.after(this.#patience.askMs, () => this.#ask());
  }

  end(): void {
    this.#cancel();
    this.#question?.destroy();
  }

  #ask(): void {
    const question = request({ socketPath: this.#socketPath, path: ALIVE, agent: false });
    this.#question = question;
    this.#cancel = systemClock.after(this.#patience.hungMs, () => {
      this.hung = true;
      question.destroy();
      this.#onHung();
    });
    // A process that has ended ends the command, too.
    question.on('error', () => this.#cancel());
    question.once('response', (answer) => {
      answer.resume();
      this.#cancel();
      this.#cancel = systemClock.after(this.#patience.askMs, () => this.#ask());
    });
    question.end();
  }
}

function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      if (absent) return reject(new NotRunningError('stead is not running'));
      if (error.code !== 'EACCES') return reject(error);
      reject(new UserError('The stead that runs here is another user’s: become that user, or root.'));
    });
    outgoing.end();
  });
}
