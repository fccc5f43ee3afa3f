// What happens to every request, in order: who asks, what is asked, may they, and then the part that serves it.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, internal, pathNotFound, StatusError } from '../../../api/errors.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { Metrics } from '../../../base/metrics.ts';
import type { AuditedRequest, Auditor } from '../../audit/auditor.ts';
import { authenticate, type TokenAuthenticator } from '../../authn/authenticate.ts';
import { impersonate } from '../../authn/impersonate.ts';
import type { IdentityDocuments } from '../../authn/issuer-discovery.ts';
import { type Attributes, type Authorizer, attributesOf, authorizeOrThrow } from '../../authz/authorize.ts';
import type { ApiServer, User } from '../../request.ts';
import { BODY_LIMIT } from '../forms/body-limits.ts';
import { encodeValue } from '../forms/encode.ts';
import { send, sendError } from '../forms/respond.ts';
import type { YamlThread } from '../forms/yaml-thread.ts';
import type { Exchange } from '../port/exchange.ts';
import { refuseCrossSite } from '../traffic/cross-site.ts';
import { deadlineOf, withinDeadline } from '../traffic/deadline.ts';
import type { Limits } from '../traffic/limits.ts';
import type { RequestMetrics, RequestVariant } from '../traffic/request-metrics.ts';
import { sendDocument } from './documents.ts';
import { type HealthCheck, sendHealth } from './health.ts';
import { boolean } from './query.ts';
import { isApplyPatch, serveResource } from './resource-request.ts';
import { methodNotAllowed, type ResourceRoute, routeResource } from './route.ts';
import { type StreamParts, serveStream, serveUpgrade, streamKindOf } from './stream-request.ts';

export interface DispatcherParts extends StreamParts {
  api: ApiServer;
  authenticateToken: TokenAuthenticator;
  authorize: Authorizer;
  documents: IdentityDocuments;
  health: readonly HealthCheck[];
  clock: Clock;
  limits: Limits;
  /** Reads and writes YAML. */
  yaml: YamlThread;
  metrics: Metrics;
  requests: RequestMetrics;
  /** Without it, nothing is recorded. */
  audit?: Auditor | undefined;
  log: Log;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const HEALTH = new Set(['healthz', 'livez', 'readyz']);

/** Paths that need no credentials; those below them do. */
const OPEN = new Set([...HEALTH, 'version']);

/** A request's target, taken apart. */
interface Target {
  path: string;
  segments: string[];
  query: URLSearchParams;
}

/** What became known of a request while it was served. */
interface Seen {
  route?: ResourceRoute;
  variant?: RequestVariant;
  audit?: AuditedRequest | undefined;
}

/** Who asks, as whom they may, and for which resource, if it is one. */
interface Asked {
  user: User;
  route: ResourceRoute | undefined;
}

/** Serves one exchange to its end; never throws. */
export async function dispatch(parts: DispatcherParts, exchange: Exchange): Promise<void> {
  const startMs = parts.clock.now();
  const seen: Seen = {};
  let refusal: StatusError | undefined;
  try {
    await serve(parts, exchange, seen);
  } catch (error) {
    if (!(error instanceof StatusError)) parts.log.error('request failed', error, { path: exchange.target });
    if (exchange.answered) {
      // Out of time in the middle of a long answer, most likely: nobody is to take it for whole, or to hold it up.
      exchange.abort?.();
    } else {
      refusal = asStatusError(error);
      await sendError(exchange, error);
    }
  }
  seen.audit?.complete(exchange.code, refusal?.status);
  const seconds = (parts.clock.now() - startMs) / 1000;
  parts.requests.done(seen.route, exchange.method, exchange.code, seconds, seen.variant);
  parts.log.debug('request', { method: exchange.method, path: exchange.target });
}

async function serve(parts: DispatcherParts, exchange: Exchange, seen: Seen): Promise<void> {
  const { api } = parts;
  const target = parseTarget(exchange.target);
  const { segments, query, path } = target;
  const { user, route } = await ask(parts, exchange, target, exchange.raw?.remoteAddress, seen);
  const [first = ''] = segments;
  if (!route) {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed();
    if (HEALTH.has(first)) return sendHealth(exchange, segments, query, parts.health, parts.log);
    const document = parts.documents[path];
    if (document) return send(exchange, 200, document.contentType, encodeValue(document.content, 'json'));
    if (path === '/metrics') {
      return send(exchange, 200, METRICS_TYPE, Buffer.from(await parts.metrics.text()));
    }
    if (await sendDocument(exchange, api, segments, query)) return;
    throw pathNotFound();
  }
  if (exchange.method !== 'GET') {
    seen.variant = {
      dryRun: query.has('dryRun') ? 'All' : '',
      isApply: route.verb === 'patch' && isApplyPatch(exchange),
    };
  }
  const kind = streamKindOf(route);
  if (kind || route.verb === 'watch') seen.audit?.lasts();
  if (kind) return serveStream(parts, kind, { route, user, query, flow: flowOf(user, exchange) }, exchange);
  const authorizeCreate = (): Promise<void> =>
    authorizeOrThrow(parts.authorize, user, { ...attributesIn(route, query), verb: 'create' });
  const admitted = { route, user, authorizeCreate, audit: seen.audit, yaml: parts.yaml };
  const work = (): Promise<void> =>
    serveResource(exchange, api, admitted, query, () => parts.clock.now(), parts.requests);
  const deadlineMs = deadlineOf(query);
  // Who is slow to say what they want holds no seat meanwhile.
  if (!READS.has(route.verb)) {
    await withinDeadline(parts.clock, deadlineMs, () => exchange.body(BODY_LIMIT).then(() => {}));
  }
  const leave = await parts.limits.enter(route.verb, flowOf(user, exchange));
  try {
    await (route.verb === 'watch' ? work() : withinDeadline(parts.clock, deadlineMs, work));
  } finally {
    leave();
  }
}

/** Whom a request is fair to and against: who asks, and with what program. */
function flowOf(user: User, exchange: Pick<Exchange, 'header'>): string {
  return `${user.name} ${exchange.header('user-agent')?.split(/[/ ]/, 1)[0] ?? ''}`;
}

/** An upgrade, until its connection is handed over. Throws a StatusError as long as nothing was answered on it. */
export async function dispatchUpgrade(
  parts: DispatcherParts,
  exchange: Pick<Exchange, 'method' | 'target' | 'certificate' | 'header' | 'rawHeaders' | 'signal'>,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const seen: Seen = {};
  try {
    await serveUpgradeOf(parts, exchange, message, socket, head, seen);
  } catch (error) {
    const refusal = asStatusError(error);
    seen.audit?.complete(refusal.code, refusal.status);
    throw error;
  }
  seen.audit?.started(101);
  const ended = (): void => seen.audit?.complete(101);
  if (socket.closed) ended();
  else socket.once('close', ended);
}

async function serveUpgradeOf(
  parts: DispatcherParts,
  exchange: Pick<Exchange, 'method' | 'target' | 'certificate' | 'header' | 'rawHeaders' | 'signal'>,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  seen: Seen,
): Promise<void> {
  const target = parseTarget(exchange.target);
  const { user, route } = await ask(parts, exchange, target, message.socket.remoteAddress, seen);
  if (!route) throw pathNotFound();
  const kind = streamKindOf(route);
  if (!kind) throw badRequest('only exec, attach, portforward, log and proxy can be upgraded');
  const { query } = target;
  // A browser's WebSocket begins with a GET, which alone lets nobody run a command.
  const runs = kind !== 'log' && kind !== 'proxy' && route.verb === 'get';
  if (runs) {
    await authorizeOrThrow(parts.authorize, user, { ...attributesIn(route, query), verb: 'create' });
  }
  const count = (code: number): void => parts.requests.done(route, exchange.method, code, 0);
  try {
    const request = { route, user, query, flow: flowOf(user, exchange) };
    await serveUpgrade(parts, kind, request, exchange, message, socket, head);
    count(101);
  } catch (error) {
    count(error instanceof StatusError ? error.code : 500);
    throw error;
  }
}

function parseTarget(target: string): Target {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  try {
    const segments = path.split('/').filter((segment) => segment !== '');
    return { path, segments: path.includes('%') ? segments.map(decodeURIComponent) : segments, query };
  } catch {
    throw badRequest(
      `the path ${path} is not valid: a percent sign must be followed by two hexadecimal digits`,
    );
  }
}

function isResourcePath(segments: readonly string[]): boolean {
  return (segments[0] === 'api' && segments.length > 2) || (segments[0] === 'apis' && segments.length > 3);
}

/**
 * Who asks, what is asked, and may they; the record of it begins once that is known. Of what is not served, only who
 * may ask is told so.
 */
async function ask(
  parts: DispatcherParts,
  exchange: Pick<Exchange, 'method' | 'target' | 'certificate' | 'header' | 'rawHeaders'>,
  { path, segments, query }: Target,
  remoteAddress: string | undefined,
  seen: Seen,
): Promise<Asked> {
  const { authenticateToken, authorize } = parts;
  const header = (name: string): string | undefined => exchange.header(name);
  refuseCrossSite(exchange);
  const asker = await authenticate(exchange.certificate, header('authorization'), authenticateToken);
  let notServed: unknown;
  if (isResourcePath(segments)) {
    try {
      seen.route = routeResource(parts.api, exchange.method, segments, boolean(query, 'watch') ?? false);
    } catch (error) {
      notServed = error;
    }
  }
  const { route } = seen;
  const attributes: Attributes = route
    ? attributesIn(route, query)
    : { path, verb: exchange.method.toLowerCase() };
  const audited = parts.audit && { target: exchange.target, header, remoteAddress };
  if (audited) seen.audit = parts.audit?.begin(audited, asker, attributes, route?.resource.version);
  const user = await impersonate(asker, exchange.rawHeaders, authorize);
  if (user !== asker) seen.audit?.impersonates(user);
  const isOpen = segments.length === 1 && OPEN.has(segments[0] ?? '');
  if (!isOpen) {
    await authorizeOrThrow(authorize, user, attributes, (decision) => seen.audit?.decided(decision));
  }
  if (notServed) throw notServed;
  return { user, route };
}

const attributesIn = (route: ResourceRoute, query: URLSearchParams) =>
  attributesOf(route, query.get('fieldSelector') ?? undefined);

function asStatusError(error: unknown): StatusError {
  return error instanceof StatusError ? error : internal(String(error));
}
