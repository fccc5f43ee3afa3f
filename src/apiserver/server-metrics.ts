// What /metrics says of the server itself: how many objects it keeps, and what its process takes.
import { readdirSync, readFileSync } from 'node:fs';
import { groupResourceOf, type ResourceDefinition } from '../api/resource.ts';
import type { Clock } from '../base/clock.ts';
import { Gauge, type Metrics } from '../base/metrics.ts';
import type { Store } from '../store/store.ts';
import { VERSION } from './http/routes/version.ts';
import { prefixOf } from './keys.ts';

/** What the kernel counts memory in. */
const PAGE_BYTES = 4096;

/** Takes up the numbers of the store's objects and of the process. */
export function addServerMetrics(
  metrics: Metrics,
  store: Store,
  resources: () => readonly ResourceDefinition[],
  clock: Clock,
): void {
  const objects = metrics.add(
    new Gauge('apiserver_storage_objects', 'Number of stored objects, by resource.'),
  );
  const resourceObjects = metrics.add(
    new Gauge('apiserver_resource_objects', 'Number of stored objects, by group and resource.'),
  );
  metrics.beforeReading(async () => {
    // What is served in two versions is stored once.
    const stored = resources().filter(({ verbs, storedAs }) => verbs.includes('list') && !storedAs);
    for (const resource of stored) {
      const count = await store.count(prefixOf(resource));
      objects.set({ resource: groupResourceOf(resource) }, count);
      resourceObjects.set({ group: resource.group, resource: resource.plural }, count);
    }
  });
  const { major, minor, gitVersion, platform } = VERSION;
  const build = { major, minor, git_version: gitVersion, platform };
  metrics.add(
    new Gauge('kubernetes_build_info', 'Whose API this is, and where it runs; always 1.', () => [[build, 1]]),
  );
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
  process_('process_virtual_memory_bytes', 'Virtual memory size in bytes.', () => {
    const [pages = 0] = readFileSync('/proc/self/statm', 'utf8').split(' ').map(Number);
    return pages * PAGE_BYTES;
  });
  process_('process_max_fds', 'Maximum number of open file descriptors.', () => {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number(soft ?? 0);
  });
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
