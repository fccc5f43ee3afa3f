// What /metrics says of requests: how many, how long, how many now. Names and labels as apiserver
// pkg/endpoints/metrics/metrics.go.
import { Counter, Gauge, Histogram, type Labels, type Metrics } from '../../api/metrics.ts';
import type { Limits } from './limits.ts';
import type { ResourceRoute } from './route.ts';
import { streamKindOf } from './stream-request.ts';

const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

export interface RequestMetrics {
  /** A request is over. @param route undefined for what is about no resource. */
  done(route: ResourceRoute | undefined, method: string, code: number, seconds: number): void;
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
  metrics.add(
    new Gauge('apiserver_current_inflight_requests', 'Requests that are served now.', () => [
      [{ request_kind: 'readOnly' }, limits.load.reads.serving],
      [{ request_kind: 'mutating' }, limits.load.writes.serving],
    ]),
  );
  metrics.add(
    new Gauge('apiserver_current_inqueue_requests', 'Requests that wait for their turn.', () => [
      [{ request_kind: 'readOnly' }, limits.load.reads.waiting],
      [{ request_kind: 'mutating' }, limits.load.writes.waiting],
    ]),
  );
  metrics.add(
    new Gauge('apiserver_longrunning_requests', 'Watches and streams into pods that are open.', () => [
      [{ verb: 'WATCH' }, limits.load.watches],
      ...[...limits.streams].map(([subresource, count]): [Labels, number] => [
        { verb: streamVerb(subresource), subresource },
        count,
      ]),
    ]),
  );
  return {
    done(route, method, code, seconds) {
      const labels = labelsOf(route, method);
      total.add({ ...labels, code: `${code}` });
      if (route && (route.verb === 'watch' || streamKindOf(route))) return;
      duration.observe(labels, seconds);
    },
  };
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

function labelsOf(route: ResourceRoute | undefined, method: string): Labels {
  if (!route) {
    const known = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
    return {
      verb: known ? method : 'other',
      group: '',
      version: '',
      resource: '',
      subresource: '',
      scope: '',
    };
  }
  const { resource, verb, namespace, name, subresource } = route;
  return {
    verb: streamKindOf(route) ? streamVerb(subresource ?? '') : (VERBS[verb] ?? verb),
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    // Only subresources that there are: a client may name any.
    subresource: subresource && isDeclared(route) ? subresource : '',
    scope: name ? 'resource' : namespace ? 'namespace' : 'cluster',
  };
}

function isDeclared({ resource, subresource = '' }: ResourceRoute): boolean {
  return (
    subresource === 'status' ||
    subresource === 'scale' ||
    Object.hasOwn(resource.parts ?? {}, subresource) ||
    Object.hasOwn(resource.actions ?? {}, subresource)
  );
}
