// What /metrics says of requests: how many, how long, how many now. Names and labels as apiserver
// pkg/endpoints/metrics/metrics.go.
import { Counter, Gauge, Histogram, type Labels, type Metrics } from '../../../base/metrics.ts';
import type { ResourceRoute } from '../routes/route.ts';
import { streamKindOf } from '../routes/stream-request.ts';
import type { Limits } from './limits.ts';
import { addQueueMetrics } from './queue-metrics.ts';

const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** What tells requests of one route apart. */
export interface RequestVariant {
  /** `All`, or nothing. */
  dryRun: string;
  isApply: boolean;
}

export interface RequestMetrics {
  /** A request is over. @param route undefined for what is about no resource. */
  done(
    route: ResourceRoute | undefined,
    method: string,
    code: number,
    seconds: number,
    variant?: RequestVariant,
  ): void;
  /** A watch has begun; gives what says that it has ended. */
  watching(route: ResourceRoute): () => void;
  /** Events were sent to a watch. */
  sent(route: ResourceRoute, events: number): void;
}

export function requestMetrics(metrics: Metrics, limits: Limits): RequestMetrics {
  const total = metrics.add(
    new Counter(
      'apiserver_request_total',
      'Counter of apiserver requests broken out for each verb, resource, scope and code.',
    ),
  );
  const duration = metrics.add(
    new Histogram('apiserver_request_duration_seconds', 'Response latency distribution in seconds.', SECONDS),
  );
  const watchEvents = metrics.add(
    new Counter('apiserver_watch_events_total', 'Number of events sent in watch clients.'),
  );
  addQueueMetrics(metrics, limits);
  const series = new RequestSeries();
  const watches = new Map<string, { labels: Labels; open: number }>();
  metrics.add(
    new Gauge('apiserver_longrunning_requests', 'Watches and streams into pods that are open.', () => [
      ...[...watches.values()].map(({ labels, open }): [Labels, number] => [labels, open]),
      ...[...limits.streams].map(([subresource, count]): [Labels, number] => [
        {
          verb: streamVerb(subresource),
          group: '',
          version: 'v1',
          resource: '',
          subresource,
          scope: 'resource',
          component: COMPONENT,
        },
        count,
      ]),
    ]),
  );
  return {
    done(route, method, code, seconds, variant = PLAIN) {
      const { labels, counted } = series.of(route, method, code, variant);
      total.add(counted);
      if (route && (route.verb === 'watch' || streamKindOf(route))) return;
      duration.observe(labels, seconds);
    },
    watching(route) {
      const labels = labelsOf(route, 'GET', false);
      const key = `${labels.group}/${labels.resource}/${labels.scope}`;
      const entry = watches.get(key) ?? { labels, open: 0 };
      watches.set(key, entry);
      entry.open++;
      return () => {
        entry.open--;
      };
    },
    sent({ resource: { group, version, plural } }, events) {
      watchEvents.add({ group, version, resource: plural }, events);
    },
  };
}

/** The labels of requests, each made once: there are as many as kinds of requests have been made. */
class RequestSeries {
  readonly #known = new Map<string, { labels: Labels; counted: Labels }>();

  of(
    route: ResourceRoute | undefined,
    method: string,
    code: number,
    { dryRun, isApply }: RequestVariant,
  ): { labels: Labels; counted: Labels } {
    const labels = { ...labelsOf(route, method, isApply), dry_run: dryRun };
    const { verb, group, version, resource, subresource, scope } = labels;
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope} ${dryRun} ${code}`;
    let known = this.#known.get(key);
    if (!known) {
      known = { labels: Object.freeze(labels), counted: Object.freeze({ ...labels, code: `${code}` }) };
      this.#known.set(key, known);
    }
    return known;
  }
}

/** Logs are read, the others connect. */
const streamVerb = (subresource: string): string => (subresource === 'log' ? 'GET' : 'CONNECT');

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};

/** Of all that upstream calls a component there is one. */
const COMPONENT = 'apiserver';
const PLAIN: RequestVariant = { dryRun: '', isApply: false };

type RequestLabels = Record<
  'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component',
  string
>;

function labelsOf(route: ResourceRoute | undefined, method: string, isApply: boolean): RequestLabels {
  if (!route) {
    const known = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
    return {
      verb: known ? method : 'other',
      group: '',
      version: '',
      resource: '',
      subresource: '',
      scope: '',
      component: COMPONENT,
    };
  }
  const { resource, verb, namespace, name, subresource } = route;
  return {
    verb: verbOf(route, isApply),
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    // Only subresources that there are: a client may name any.
    subresource: subresource && isDeclared(route) ? subresource : '',
    scope: name || verb === 'create' ? 'resource' : namespace ? 'namespace' : 'cluster',
    component: COMPONENT,
  };
}

function verbOf(route: ResourceRoute, isApply: boolean): string {
  if (streamKindOf(route)) return streamVerb(route.subresource ?? '');
  return isApply ? 'APPLY' : (VERBS[route.verb] ?? route.verb);
}

function isDeclared({ resource, subresource = '' }: ResourceRoute): boolean {
  return (
    subresource === 'status' ||
    subresource === 'scale' ||
    Object.hasOwn(resource.parts ?? {}, subresource) ||
    Object.hasOwn(resource.actions ?? {}, subresource)
  );
}
