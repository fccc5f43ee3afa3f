// How long the store takes, for /metrics. It stands where upstream has etcd, and is measured under the names that
// dashboards know: apiserver pkg/storage/etcd3/metrics.
import type { Clock } from '../base/clock.ts';
import { Counter, Histogram, type Labels, type Metrics } from '../base/metrics.ts';
import type { Store } from '../store/store.ts';
import { REGISTRY_PREFIX } from './keys.ts';

const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** The same store, measured. */
export function meteredStore(store: Store, metrics: Metrics, clock: Clock): Store {
  const duration = metrics.add(
    new Histogram('etcd_request_duration_seconds', 'Latency of the store in seconds, by operation.', SECONDS),
  );
  const total = metrics.add(new Counter('etcd_requests_total', 'Requests to the store, by operation.'));
  const failed = metrics.add(new Counter('etcd_request_errors_total', 'Failed requests to the store.'));
  const known = new Map<string, Labels>();
  const labelsOf = (operation: string, key: string): Labels => {
    const plural = key.indexOf('/', REGISTRY_PREFIX.length) + 1;
    const path = key.slice(REGISTRY_PREFIX.length, key.indexOf('/', plural));
    let labels = known.get(`${operation} ${path}`);
    if (!labels) {
      const [group = '', resource = ''] = path.split('/');
      labels = Object.freeze({ operation, group: group === 'core' ? '' : group, resource });
      known.set(`${operation} ${path}`, labels);
    }
    return labels;
  };
  const measure = async <T>(operation: string, key: string, work: Promise<T>): Promise<T> => {
    const startMs = clock.now();
    const labels = labelsOf(operation, key);
    total.add(labels);
    try {
      return await work;
    } catch (error) {
      failed.add(labels);
      throw error;
    } finally {
      duration.observe(labels, (clock.now() - startMs) / 1000);
    }
  };
  return {
    revision: () => store.revision(),
    get: (key) => measure('get', key, store.get(key)),
    list: (prefix, options) => measure('list', prefix, store.list(prefix, options)),
    count: (prefix) => store.count(prefix),
    put: (key, value, revision) =>
      measure(revision === 0 ? 'create' : 'update', key, store.put(key, value, revision)),
    delete: (key, revision) => measure('delete', key, store.delete(key, revision)),
    watch: (options) => store.watch(options),
    compact: (revision) => store.compact(revision),
    reusableBytes: () => store.reusableBytes(),
    close: () => store.close(),
  };
}
