// How the commands speak to the running process: HTTP over a unix socket that only its owner may open. It is also
// the lock of the data directory: who can connect knows that a stead is running there.
import { chmod, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
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
  /** How volumes enforce their size, and why so. */
  volumes: string;
}

export interface ControlHandlers {
  info(): Promise<ProcessInfo>;
  /** Stops everything in order; `say` sends a line of progress. The process ends after it. */
  down(say: (line: string) => void): Promise<void>;
  /** Imports an image archive; returns the names in it. */
  loadImage(file: string): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
}

/** @throws UserError if another stead listens on the socket. */
export async function serveControl(
  socketPath: string,
  handlers: ControlHandlers,
): Promise<() => Promise<void>> {
  const running = await processInfo(socketPath);
  if (running) {
    throw new UserError(`stead already runs on this data directory (pid ${running.pid}, ${running.server}).`);
  }
  await rm(socketPath, { force: true });
  const server = createServer(async (incoming, response) => {
    const { method, url = '/' } = incoming;
    const { pathname, searchParams } = new URL(url, 'http://stead');
    try {
      if (method === 'GET' && pathname === '/') return response.end(JSON.stringify(await handlers.info()));
      if (method === 'GET' && pathname === '/images')
        return response.end(JSON.stringify(await handlers.listImages()));
      if (method === 'POST' && pathname === '/images') {
        return response.end(JSON.stringify(await handlers.loadImage(searchParams.get('file') ?? '')));
      }
      if (method === 'POST' && pathname === '/down') {
        await handlers.down((line) => response.write(`${line}\n`));
        return response.end();
      }
      response.writeHead(404).end(`no such command: ${method} ${pathname}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) response.writeHead(500);
      response.end(message);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      // Commands that wait for a stead that never came up are let go.
      server.closeAllConnections();
    });
}

/** What the process on this socket says of itself; undefined if there is none. */
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

/**
 * Sends one command.
 * @param onText gets the reply as it comes.
 * @throws NotRunningError, or UserError with what the process answered.
 */
export function call(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  onText: (text: string) => void = () => {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (response.statusCode === 200) onText(chunk);
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new UserError(text))));
      response.on('error', reject);
    });
    outgoing.on('error', (error) => {
      const absent = 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
      reject(absent ? new NotRunningError('stead is not running') : error);
    });
    outgoing.end();
  });
}
