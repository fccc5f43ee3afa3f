// What happens to every request, in order: who asks, what is asked, may they, and then the part that serves it.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../api/clock.ts';
import { badRequest, StatusError } from '../../api/errors.ts';
import type { Log } from '../../api/log.ts';
import type { Metrics } from '../../api/metrics.ts';
import { authenticate, type TokenAuthenticator } from '../authn/authenticate.ts';
import { impersonate } from '../authn/impersonate.ts';
import type { IdentityDocuments } from '../authn/issuer-discovery.ts';
import { type Attributes, type Authorizer, refusal } from '../authz/authorize.ts';
import type { ApiServer, User } from '../request.ts';
import { deadlineOf, withinDeadline } from './deadline.ts';
import { sendDocument } from './documents.ts';
import { encodeValue } from './encode.ts';
import type { Exchange } from './exchange.ts';
import { type HealthCheck, sendHealth } from './health.ts';
import type { Limits } from './limits.ts';
import { boolean } from './query.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { serveResource } from './resource-request.ts';
import { send, sendError } from './respond.ts';
import { methodNotAllowed, pathNotFound, type ResourceRoute, routeResource } from './route.ts';
import { type StreamParts, serveStream, serveUpgrade, streamKindOf } from './stream-request.ts';

export interface DispatcherParts extends StreamParts {
  api: ApiServer;
  authenticateToken: TokenAuthenticator;
  authorize: Authorizer;
  documents: IdentityDocuments;
  health: readonly HealthCheck[];
  clock: Clock;
  limits: Limits;
  metrics: Metrics;
  requests: RequestMetrics;
  log: Log;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
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
}

/** Serves one exchange to its end; never throws. */
export async function dispatch(parts: DispatcherParts, exchange: Exchange): Promise<void> {
  const startMs = parts.clock.now();
  const seen: Seen = {};
  try {
    await serve(parts, exchange, seen);
  } catch (error) {
    if (!(error instanceof StatusError)) parts.log.error('request failed', error, { path: exchange.target });
    await sendError(exchange, error);
  }
  parts.requests.done(seen.route, exchange.method, exchange.code, (parts.clock.now() - startMs) / 1000);
  parts.log.debug('request', { method: exchange.method, path: exchange.target });
}

async function serve(parts: DispatcherParts, exchange: Exchange, seen: Seen): Promise<void> {
  const { api } = parts;
  const target = parseTarget(exchange.target);
  const { segments, query, path } = target;
  const user = await userOf(parts, exchange);
  const [first = ''] = segments;
  if (!isResourcePath(segments)) {
    if (!OPEN.has(first) || segments.length > 1)
      await authorizeOrThrow(parts, user, { path, verb: exchange.method.toLowerCase() });
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
  const route = await allowedRoute(parts, user, exchange.method, target);
  seen.route = route;
  const kind = streamKindOf(route);
  if (kind) return serveStream(parts, kind, { route, user, query, flow: flowOf(user, exchange) }, exchange);
  const authorizeCreate = (): Promise<void> =>
    authorizeOrThrow(parts, user, { ...attributesOf(route, query), verb: 'create' });
  const work = (): Promise<void> =>
    serveResource(exchange, api, { ...route, user, authorizeCreate }, query, () => parts.clock.now());
  const leave = await parts.limits.enter(route.verb, flowOf(user, exchange));
  try {
    await (route.verb === 'watch' ? work() : withinDeadline(parts.clock, deadlineOf(query), work));
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
  exchange: Pick<Exchange, 'method' | 'target' | 'certificate' | 'header' | 'signal'>,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const target = parseTarget(exchange.target);
  const user = await userOf(parts, exchange);
  if (!isResourcePath(target.segments)) throw pathNotFound();
  const route = await allowedRoute(parts, user, exchange.method, target);
  const kind = streamKindOf(route);
  if (!kind) throw badRequest('only exec, attach, portforward, log and proxy can be upgraded');
  const { query } = target;
  // A browser's WebSocket begins with a GET, which alone lets nobody run a command.
  const runs = kind !== 'log' && kind !== 'proxy' && route.verb === 'get';
  if (runs) await authorizeOrThrow(parts, user, { ...attributesOf(route, query), verb: 'create' });
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
    return { path, segments: segments.map(decodeURIComponent), query };
  } catch {
    throw badRequest(
      `the path ${path} is not valid: a percent sign must be followed by two hexadecimal digits`,
    );
  }
}

function isResourcePath(segments: readonly string[]): boolean {
  return (segments[0] === 'api' && segments.length > 2) || (segments[0] === 'apis' && segments.length > 3);
}

/** Who asks, or whom they ask as. */
async function userOf(
  { authenticateToken, authorize }: DispatcherParts,
  exchange: Pick<Exchange, 'certificate' | 'header'>,
): Promise<User> {
  const user = await authenticate(exchange.certificate, exchange.header('authorization'), authenticateToken);
  return impersonate(user, (name) => exchange.header(name), authorize);
}

/** What is asked, as upstream sees it: a namespace lies in itself, and a list of one name is about that object. */
function attributesOf(
  { resource, verb, subresource, namespace, name }: ResourceRoute,
  query: URLSearchParams,
) {
  const isNamespace = resource.group === '' && resource.plural === 'namespaces';
  const selected = /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1];
  return {
    resource,
    verb,
    subresource,
    namespace: isNamespace ? name : namespace,
    name: name ?? (verb === 'create' ? undefined : selected),
    fieldSelector: query.get('fieldSelector') ?? undefined,
  };
}

/** What is asked, if the user may; of what is not served, only who may ask is told so. */
async function allowedRoute(
  parts: DispatcherParts,
  user: User,
  method: string,
  { path, segments, query }: Target,
): Promise<ResourceRoute> {
  let route: ResourceRoute;
  try {
    route = routeResource(parts.api, method, segments, boolean(query, 'watch') ?? false);
  } catch (error) {
    await authorizeOrThrow(parts, user, { path, verb: method.toLowerCase() });
    throw error;
  }
  await authorizeOrThrow(parts, user, attributesOf(route, query));
  return route;
}

async function authorizeOrThrow(
  { authorize }: DispatcherParts,
  user: User,
  attributes: Attributes,
): Promise<void> {
  const { allowed, reason } = await authorize(user, attributes);
  if (!allowed) throw refusal(user, attributes, reason);
}
