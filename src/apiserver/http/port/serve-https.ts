// The API server's port: TLS, HTTP/2 and HTTP/1.1 on one socket, client certificates, upgrades, an orderly end.
import { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { internal, StatusError } from '../../../api/errors.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { Counter, Metrics } from '../../../base/metrics.ts';
import { othersTurn } from '../../../base/others-turn.ts';
import type { Auditor } from '../../audit/auditor.ts';
import type { ClientCertificate, TokenAuthenticator } from '../../authn/authenticate.ts';
import type { IdentityDocuments } from '../../authn/issuer-discovery.ts';
import type { Authorizer } from '../../authz/authorize.ts';
import type { ConnectHandler } from '../../connect.ts';
import { headerText } from '../../header-text.ts';
import { PodProxy } from '../../proxy/proxy.ts';
import type { ApiServer } from '../../request.ts';
import { YamlThread } from '../forms/yaml-thread.ts';
import { type DispatcherParts, dispatch, dispatchUpgrade } from '../routes/dispatcher.ts';
import type { HealthCheck } from '../routes/health.ts';
import { authorizationOf } from '../routes/websocket-token.ts';
import { Limits } from '../traffic/limits.ts';
import { requestMetrics } from '../traffic/request-metrics.ts';
import { Connections, closeWhenIdle, HANDSHAKE_MS, MAX_CONNECTIONS } from './connections.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { BodyBudget } from './read-body.ts';

/** Requests that one HTTP/2 connection may have open at once; watches count. */
const MAX_CONCURRENT_STREAMS = 1000;

/** How long a connection is silent before the kernel asks whether there is still somebody. */
const KEEP_ALIVE_MS = 60_000;

/** All headers of one request together. */
const MAX_HEADER_BYTES = 64 * 1024;

/** PEM. */
export interface TlsMaterial {
  key: string;
  cert: string;
  /** Signs the client certificates that are believed. */
  ca: string;
}

export interface HttpsOptions {
  api: ApiServer;
  tls: TlsMaterial;
  host: string;
  /** 0: any free port. */
  port: number;
  authenticateToken: TokenAuthenticator;
  authorize: Authorizer;
  /** How others verify the tokens of service accounts, by path. */
  documents?: IdentityDocuments;
  /** Without it, log, exec, attach and portforward answer 503. */
  connect?: ConnectHandler | undefined;
  /** Without it, no request is recorded. */
  audit?: Auditor | undefined;
  log: Log;
  clock: Clock;
  /** The checks behind /healthz, /livez and /readyz, beside `ping`. */
  health: readonly HealthCheck[];
}

export interface HttpsServer {
  port: number;
  /**
   * Opens the same port of another address of this machine.
   * @returns what closes it again; connections that came by it go on. Rejects with Node's error when it cannot be opened.
   */
  alsoOn(host: string): Promise<() => void>;
  /** What connections from now on are shown; those that are open go on. */
  renewTls(tls: TlsMaterial): void;
  /** Ends every watch and stream, and resolves when the port is free. */
  close(): Promise<void>;
}

/** Resolves when the port is open. Rejects with Node's error (EADDRINUSE, EACCES, …) when it cannot be. */
export async function serveHttps(options: HttpsOptions): Promise<HttpsServer> {
  const { api, tls, host, port, authenticateToken, authorize, connect, log, clock, health } = options;
  const limits = new Limits(clock);
  const budget = new BodyBudget();
  const metrics = api.metrics ?? new Metrics();
  const parts: DispatcherParts = {
    api,
    authenticateToken,
    authorize,
    connect,
    proxy: new PodProxy(api, clock),
    documents: options.documents ?? {},
    health,
    audit: options.audit,
    log,
    clock,
    limits,
    yaml: new YamlThread(clock),
    metrics,
    requests: requestMetrics(metrics, limits),
  };
  const closing = new AbortController();
  const sockets = new Set<Duplex>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer({
    ...tls,
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    settings: { maxHeaderListSize: MAX_HEADER_BYTES, maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  });
  // No options of an HTTP/2 server; its HTTP/1.1 reads them from the server itself.
  Object.assign(server, { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HANDSHAKE_MS });
  server.maxConnections = MAX_CONNECTIONS;
  const connections = new Connections();
  server.on('connection', (socket: Socket) => connections.admit(socket));
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Clients that vanish without a word are found out.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // A connection that breaks is closed; whoever waits on it hears of that.
    socket.on('error', () => socket.destroy());
  });
  const handshakeErrors = metrics.add(
    new Counter('apiserver_tls_handshake_errors_total', 'Connections on which TLS could not be agreed.'),
  );
  server.on('tlsClientError', () => handshakeErrors.add({}));
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
    closeWhenIdle(session);
  });
  server.on('request', (request, response) => {
    const [message, answer]: [unknown, unknown] = [request, response];
    if (!(message instanceof IncomingMessage && answer instanceof ServerResponse)) return;
    const certificate = certificateOf(message.socket);
    void dispatch(parts, new Http1Exchange(message, answer, certificate, closing.signal, budget));
  });
  // Listening for requests has made Node offer HTTP/2 streams as requests, too; they are served by the core interface.
  server.removeAllListeners('stream');
  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    const certificate = certificateOf(stream.session?.socket);
    const exchange = new Http2Exchange(stream, headers, rawHeaders, certificate, closing.signal, budget);
    void dispatch(parts, exchange);
  };
  server.on('stream', onStream);
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    void upgrade(parts, message, socket, head, closing.signal);
  });
  const opened = async (one: Server, onPort: number, address: string): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      one.once('error', reject);
      one.listen(onPort, address, () => {
        one.off('error', reject);
        resolve();
      });
    });
    one.on('error', (error) => log.error('the API port failed', error, { address }));
  };
  await opened(server, port, host);
  // A listening TCP server has an address of this type.
  const { port: chosen } = server.address() as AddressInfo;
  const doors = new Set<() => void>();
  return {
    port: chosen,
    async alsoOn(address) {
      // What comes in by it is served as if it had come in by the first.
      const door = createServer((socket) => server.emit('connection', socket));
      door.maxConnections = MAX_CONNECTIONS;
      await opened(door, chosen, address);
      const shut = (): void => {
        doors.delete(shut);
        door.close();
      };
      doors.add(shut);
      return shut;
    },
    renewTls: (renewed) => server.setSecureContext(renewed),
    async close() {
      closing.abort();
      parts.yaml.close();
      for (const shut of doors) shut();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      await othersTurn();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The client's certificate: whom it names if our authority has signed it; read once for each connection. */
function certificateOf(socket: unknown): ClientCertificate | undefined {
  const tls = socket as Pick<TLSSocket, 'authorized' | 'getPeerCertificate'> | undefined;
  if (!tls) return undefined;
  if (!certificates.has(tls)) {
    // Without one Node gives an object with nothing in it.
    const { subject } = tls.getPeerCertificate() as Partial<PeerCertificate>;
    certificates.set(tls, subject && (tls.authorized ? subject : 'unverified'));
  }
  return certificates.get(tls);
}

const certificates = new WeakMap<object, ClientCertificate | undefined>();

async function upgrade(
  parts: DispatcherParts,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  socket.on('error', () => socket.destroy());
  const signal = AbortSignal.any([gone.signal, closing]);
  const authorization = authorizationOf(message);
  const exchange = {
    method: message.method ?? 'GET',
    target: message.url ?? '/',
    certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined,
    header: (name: string) =>
      name === 'authorization'
        ? authorization
        : headerText(message.headers[name]?.toString() ?? '') || undefined,
    rawHeaders: message.rawHeaders,
    signal,
  };
  try {
    await dispatchUpgrade(parts, exchange, message, socket, head);
  } catch (error) {
    if (!(error instanceof StatusError)) parts.log.error('upgrade failed', error, { path: exchange.target });
    refuse(socket, error instanceof StatusError ? error : internal(String(error)));
  }
}

/** Answers an upgrade that is not to be, by hand: there is no response object for it. */
function refuse(socket: Duplex, { status }: StatusError): void {
  if (!socket.writable) return;
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${status.code ?? 500} ${status.reason ?? 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
