// What /metrics says of the server itself: how many objects it keeps, and what its process takes.
import { readdirSync } from 'node:fs';
import type { Clock } from '../api/clock.ts';
import { Gauge, type Metrics } from '../api/metrics.ts';
import { groupResourceOf, type ResourceDefinition } from '../api/resource.ts';
import type { Store } from '../store/store.ts';
import { prefixOf } from './keys.ts';

/** Takes up the numbers of the store's objects and of the process. */
export function addServerMetrics(
  metrics: Metrics,
  store: Store,
  resources: readonly ResourceDefinition[],
  clock: Clock,
): void {
  const objects = metrics.add(
    new Gauge('apiserver_storage_objects', 'Number of stored objects, by resource.'),
  );
  metrics.beforeReading(async () => {
    // What is served in two forms is stored once.
    const byPrefix = new Map(
      resources.filter(({ verbs }) => verbs.includes('list')).map((each) => [prefixOf(each), each]),
    );
    for (const [prefix, resource] of byPrefix) {
      objects.set({ resource: groupResourceOf(resource) }, await store.count(prefix));
    }
  });
  const process_ = (
    name: string,
    help: string,
    read: () => number,
    type: 'gauge' | 'counter' = 'gauge',
  ): void => {
    metrics.add(new Gauge(name, help, () => [[{}, read()]], type));
  };
  const startedAtSeconds = clock.now() / 1000 - process.uptime();
  process_(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    () => startedAtSeconds,
  );
  process_('process_resident_memory_bytes', 'Resident memory size in bytes.', () =>
    process.memoryUsage.rss(),
  );
  process_('process_open_fds', 'Number of open file descriptors.', () => readdirSync('/proc/self/fd').length);
  process_(
    'process_cpu_seconds_total',
    'Total user and system CPU time spent in seconds.',
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    'counter',
  );
}
