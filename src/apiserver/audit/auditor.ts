// The record of a request as it goes through its stages: one event of audit.k8s.io/v1 for each stage that the policy
// wants. Where the events go is the sink's business. Follows apiserver pkg/audit/request.go and
// pkg/endpoints/filters/audit.go.
import { isIP } from 'node:net';
import type { Status } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../../api/resource.ts';
import { type Clock, microTimestamp, type Random } from '../../base/clock.ts';
import { Counter, type Metrics } from '../../base/metrics.ts';
import { present } from '../../base/present.ts';
import { userInfo } from '../authn/reviews.ts';
import type { Attributes, Decision } from '../authz/authorize.ts';
import type { ApiRequest, ApiResult, User } from '../request.ts';
import { type AuditConfig, atLeast, evaluate, type Policy, type Stage } from './policy.ts';

const MAX_USER_AGENT = 1024;
const TRUNCATED = '...TRUNCATED';

/** What an audited request was asked with. */
export interface AuditedExchange {
  /** Path and query, as sent. */
  target: string;
  header(name: string): string | undefined;
  remoteAddress: string | undefined;
}

/** Takes events, each a line of JSON without its end. */
export interface AuditSink {
  write(line: string): void;
}

interface AuditEvent {
  kind: 'Event';
  apiVersion: 'audit.k8s.io/v1';
  level: AuditConfig['level'];
  auditID: string;
  stage: Stage;
  requestURI: string;
  verb: string;
  user: object;
  impersonatedUser?: object;
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: ObjectRef;
  responseStatus?: Partial<Status>;
  requestObject?: unknown;
  responseObject?: unknown;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: Record<string, string>;
}

interface ObjectRef {
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
  uid?: string | undefined;
  apiGroup?: string | undefined;
  apiVersion?: string | undefined;
  resourceVersion?: string | undefined;
  subresource?: string | undefined;
}

export class Auditor {
  readonly #policy: Policy;
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: Counter;
  readonly #levels: Counter;

  constructor(policy: Policy, sink: AuditSink, clock: Clock, random: Random, metrics: Metrics) {
    this.#policy = policy;
    this.#sink = sink;
    this.#clock = clock;
    this.#random = random;
    this.#events = metrics.add(
      new Counter(
        'apiserver_audit_event_total',
        'Counter of audit events generated and sent to the audit backend.',
      ),
    );
    this.#levels = metrics.add(
      new Counter(
        'apiserver_audit_level_total',
        'Counter of policy levels for audit events (1 per request).',
      ),
    );
  }

  /**
   * A request has come in; undefined when nothing of it is to be recorded.
   * @param asker who asks, before they ask as somebody else.
   * @param version of the resource that is asked for.
   */
  begin(
    exchange: AuditedExchange,
    asker: User,
    asked: Attributes,
    version: string | undefined,
  ): AuditedRequest | undefined {
    const config = evaluate(this.#policy, asker, asked);
    this.#levels.add({ level: config.level });
    if (config.level === 'None') return undefined;
    const now = microTimestamp(this.#clock.now());
    const userAgent = exchange.header('user-agent') ?? '';
    const event: AuditEvent = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: config.level,
      auditID: exchange.header('audit-id') || this.#random.uuid(),
      stage: 'RequestReceived',
      requestURI: exchange.target,
      verb: asked.verb,
      user: userInfo(asker),
      sourceIPs: sourceIps(exchange),
      userAgent:
        userAgent.length > MAX_USER_AGENT ? userAgent.slice(0, MAX_USER_AGENT) + TRUNCATED : userAgent,
      ...('path' in asked
        ? {}
        : {
            objectRef: {
              resource: asked.resource.plural,
              namespace: asked.namespace,
              name: asked.name,
              apiGroup: asked.resource.group || undefined,
              apiVersion: version,
              subresource: asked.subresource,
            },
          }),
      requestReceivedTimestamp: now,
      stageTimestamp: now,
    };
    const request = new AuditedRequest(event, config, (stage) => {
      if (config.omitStages.has(stage.stage)) return;
      this.#events.add({});
      this.#sink.write(JSON.stringify({ ...stage, stageTimestamp: microTimestamp(this.#clock.now()) }));
    });
    request.received();
    return request;
  }
}

/** One request that is recorded. Its methods are called in the order of their stages. */
export class AuditedRequest {
  readonly #event: AuditEvent;
  readonly #config: AuditConfig;
  readonly #send: (event: AuditEvent) => void;
  #isLong = false;

  constructor(event: AuditEvent, config: AuditConfig, send: (event: AuditEvent) => void) {
    this.#event = event;
    this.#config = config;
    this.#send = send;
  }

  received(): void {
    this.#send(this.#event);
  }

  /** They ask as somebody else. */
  impersonates(user: User): void {
    this.#event.impersonatedUser = userInfo(user);
  }

  /** What the authorizers have said. */
  decided({ allowed, reason = '' }: Decision): void {
    this.#event.annotations = {
      ...this.#event.annotations,
      'authorization.k8s.io/decision': allowed ? 'allow' : 'forbid',
      'authorization.k8s.io/reason': reason,
    };
  }

  /** What was sent: an object, a patch, or DeleteOptions. */
  asks({ body, deleteOptions, patchType }: Pick<ApiRequest, 'body' | 'deleteOptions' | 'patchType'>): void {
    const sent = body ?? (deleteOptions && { kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions });
    const { objectRef } = this.#event;
    const metadata = patchType ? undefined : metadataOf(sent);
    if (objectRef && metadata) {
      objectRef.namespace ||= metadata.namespace;
      objectRef.name ||= metadata.name;
      objectRef.uid ||= metadata.uid;
      objectRef.resourceVersion ||= metadata.resourceVersion;
    }
    if (sent !== undefined && atLeast(this.#config.level, 'Request')) {
      this.#event.requestObject = this.#shown(sent);
    }
  }

  /** A watch or a stream, of which the answer begins long before it ends. */
  lasts(): void {
    this.#isLong = true;
  }

  /** The answer of something that lasts has begun. */
  started(code: number): void {
    this.#isLong = false;
    this.#event.responseStatus = { metadata: {}, code };
    this.#send({ ...this.#event, stage: 'ResponseStarted' });
  }

  /** What is answered. */
  answers(resource: ResourceDefinition, result: Exclude<ApiResult, { type: 'watch' }>): void {
    if (!atLeast(this.#config.level, 'RequestResponse')) return;
    if (result.type === 'object') {
      this.#event.responseObject = this.#shown(result.object);
      return;
    }
    const { metadata, items } = result.list;
    const shown = items.map((item) => this.#shown(item));
    const apiVersion = apiVersionOf(resource);
    this.#event.responseObject = { kind: `${resource.kind}List`, apiVersion, metadata, items: shown };
  }

  /** It is over. @param code of the answer; 0 for none. @param refusal the Status, if that was the answer. */
  complete(code: number, refusal?: Status): void {
    const event = this.#event;
    if (code === 0) {
      event.responseStatus = {
        metadata: {},
        status: 'Success',
        message: 'Connection closed early',
        code: 200,
      };
    } else if (refusal) {
      const { status, message, reason, details } = refusal;
      event.responseStatus = present({ metadata: {}, status, message, reason, details, code });
      if (atLeast(this.#config.level, 'RequestResponse')) event.responseObject = refusal;
    } else {
      event.responseStatus = { metadata: {}, code };
    }
    if (this.#isLong) this.#send({ ...event, stage: 'ResponseStarted' });
    this.#send({ ...event, stage: 'ResponseComplete' });
  }

  /** An object as it is recorded. */
  #shown(value: unknown): unknown {
    const metadata = this.#config.omitManagedFields ? metadataOf(value) : undefined;
    if (!metadata?.managedFields) return value;
    const { managedFields: _managedFields, ...others } = metadata;
    return { ...(value as object), metadata: others };
  }
}

function metadataOf(value: unknown): KubeObject['metadata'] | undefined {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return undefined;
  const { metadata } = value;
  return typeof metadata === 'object' && metadata !== null ? metadata : undefined;
}

/** Whom a request comes from, as far as its headers are believed, and the connection's other end. */
function sourceIps(exchange: AuditedExchange): string[] {
  const forwarded = (exchange.header('x-forwarded-for') ?? '').split(',');
  const named = [...forwarded, exchange.header('x-real-ip') ?? ''].map((each) => each.trim());
  const ips = [...new Set(named.filter((each) => isIP(each) !== 0))];
  const remote = exchange.remoteAddress?.replace(/^::ffff:/, '');
  if (remote && ips.at(-1) !== remote) ips.push(remote);
  return ips;
}
