// Passes one HTTP request on to a pod and its answer back, both as streams: no limit on their size, but on how long
// nothing may move. Follows apimachinery pkg/util/proxy/upgradeaware.go (ServeHTTP).
import { type ClientRequest, type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { badRequest, internal, StatusError, serviceUnavailable } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { bracketed, dialError } from '../../base/dial-error.ts';
import { errorText } from '../../base/error-text.ts';
import type { Exchange, RawRequest } from '../http/port/exchange.ts';
import type { Destination } from './destination.ts';
import { type Passage, requestHeaders, responseHeaders, rewriteLocation } from './headers.ts';
import { IdleTimer } from './idle-timer.ts';
import { HtmlRewriter } from './rewrite-html.ts';

/** How long a pod may take to accept a connection. */
const CONNECT_MS = 30_000;
/** How long nothing may move of a request that is under way: a page that is slow to come is waited for. */
const IDLE_MS = 10 * 60_000;

export interface Forwarding {
  destination: Destination;
  passage: Passage;
  clock: Clock;
  signal: AbortSignal;
}

/** @throws StatusError before anything was answered. */
export async function forward(exchange: Exchange, raw: RawRequest, forwarding: Forwarding): Promise<void> {
  const { clock, destination, passage, signal } = forwarding;
  const outgoing = open(forwarding, exchange.method, raw);
  const idle = new IdleTimer(clock, IDLE_MS, () => outgoing.destroy(new Error('i/o timeout')));
  try {
    if (passage.hasBody) raw.body.on('data', () => idle.touch()).pipe(outgoing);
    else outgoing.end();
    const response = await answerOf(outgoing, destination, () => assertNeverUpgraded());
    const host = raw.headers.host ?? '';
    const rewrite = (url: string): string =>
      rewriteLocation(url, passage.prefix, addressOf(destination), host);
    const headers = responseHeaders(response.headers, rewrite);
    const body = exchange.method === 'HEAD' ? response : pageOf(response, rewrite);
    if (body !== response) delete headers['content-length'];
    exchange.start(response.statusCode ?? 502, headers);
    try {
      for await (const chunk of body) {
        idle.touch();
        await exchange.write(chunk);
        if (signal.aborted) return;
      }
      exchange.end();
    } catch {
      // The pod broke off within its answer: nobody is to take it for whole.
      exchange.abort?.();
    }
  } finally {
    idle.stop();
    raw.body.unpipe(outgoing);
    // What the pod did not want to read stands before the connection's next request.
    raw.body.resume();
    outgoing.destroy();
  }
}

/** The answer's body; of a page, with links that lead back through the proxy. */
function pageOf(response: IncomingMessage, rewrite: (url: string) => string): Readable {
  const { 'content-encoding': encoding = '', 'content-type': type = '' } = response.headers;
  if (type.split(';', 1)[0]?.trim() !== 'text/html') return response;
  const rewriter = new HtmlRewriter(rewrite);
  // Whoever reads hears of what breaks.
  const heard = (): void => {};
  if (encoding === '') return pipeline(response, rewriter, heard);
  if (encoding === 'gzip') return pipeline(response, createGunzip(), rewriter, createGzip(), heard);
  return response;
}

function assertNeverUpgraded(): never {
  throw internal('the pod upgraded a connection that it was not asked to');
}

/** Passes an upgrade on; when the pod agrees, the two connections become one. @throws StatusError as above. */
export async function forwardUpgrade(
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  forwarding: Forwarding,
): Promise<void> {
  const { clock, destination, passage, signal } = forwarding;
  const raw = { headers: message.headers, body: message };
  const outgoing = open(forwarding, message.method ?? 'GET', raw, {
    connection: 'Upgrade',
    upgrade: message.headers.upgrade ?? '',
  });
  const wait = new IdleTimer(clock, IDLE_MS, () => outgoing.destroy(new Error('i/o timeout')));
  outgoing.end();
  let upgraded: { backend: Duplex; backendHead: Buffer } | undefined;
  const response = await answerOf(outgoing, destination, (backend, backendHead) => {
    upgraded = { backend, backendHead };
  }).finally(() => wait.stop());
  const host = message.headers.host ?? '';
  if (!upgraded) {
    const { statusCode = 500 } = response;
    if (statusCode < 400) {
      outgoing.destroy();
      throw internal(`invalid upgrade response: status code ${statusCode}`);
    }
    const headers = responseHeaders(response.headers, (url) =>
      rewriteLocation(url, passage.prefix, addressOf(destination), host),
    );
    socket.write(headOf(statusCode, { ...headers, connection: 'close' }));
    response.pipe(socket);
    return;
  }
  const { backend, backendHead } = upgraded;
  socket.write(rawHeadOf(response));
  if (backendHead.length > 0) socket.write(backendHead);
  if (head.length > 0) backend.write(head);
  const end = (): void => {
    signal.removeEventListener('abort', end);
    socket.destroy();
    backend.destroy();
  };
  for (const [from, to] of [
    [socket, backend],
    [backend, socket],
  ] as const) {
    from.on('error', end);
    from.once('close', end);
    from.pipe(to);
  }
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
}

function open(
  { clock, destination, passage, signal }: Forwarding,
  method: string,
  raw: Pick<RawRequest, 'headers'>,
  extra: Record<string, string> = {},
): ClientRequest {
  const { host, port, secure } = destination;
  let outgoing: ClientRequest;
  try {
    outgoing = (secure ? requestHttps : requestHttp)({
      host,
      port,
      method,
      path: passage.rest,
      headers: { ...requestHeaders(raw.headers, passage), ...extra },
      agent: false,
      signal,
      // As upstream: a pod has no certificate that the cluster could know.
      ...(secure && { rejectUnauthorized: false }),
    });
  } catch (error) {
    throw badRequest(`the request cannot be passed on: ${errorText(error)}`);
  }
  outgoing.once('socket', (socket) => {
    const late = (): void => void outgoing.destroy(new Error('i/o timeout'));
    const cancel = clock.after(CONNECT_MS, late);
    socket.once(secure ? 'secureConnect' : 'connect', cancel);
    socket.once('close', cancel);
  });
  return outgoing;
}

function answerOf(
  outgoing: ClientRequest,
  destination: Destination,
  onUpgrade: (socket: Duplex, head: Buffer) => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (response, socket, head) => {
      try {
        onUpgrade(socket, head);
        resolve(response);
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    outgoing.on('error', (error) => reject(unreachable(destination, error)));
  });
}

const addressOf = ({ host, port }: Destination): string => `${bracketed(host)}:${port}`;

function unreachable({ host, port }: Destination, error: NodeJS.ErrnoException): StatusError {
  if (error instanceof StatusError) return error;
  return serviceUnavailable(`error trying to reach service: ${dialError(host, port, error)}`);
}

function headOf(code: number, headers: Record<string, string | string[]>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\n${lines.join('')}\r\n`;
}

/** The answer to an upgrade goes back as it came: its headers are about the connection that becomes the client's. */
function rawHeadOf({ rawHeaders, statusMessage }: IncomingMessage): string {
  let text = `HTTP/1.1 101 ${statusMessage || 'Switching Protocols'}\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    text += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  }
  return `${text}\r\n`;
}
