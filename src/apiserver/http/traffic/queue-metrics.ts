// What /metrics says of the queues before the server. Names as apiserver pkg/util/flowcontrol/metrics; reads and writes
// stand where upstream has its priority levels.
import { Gauge, type Labels, type Metrics } from '../../../base/metrics.ts';
import type { QueueLoad } from './fair-queue.ts';
import type { Limits } from './limits.ts';

const PREFIX = 'apiserver_flowcontrol_';

export function addQueueMetrics(metrics: Metrics, limits: Limits): void {
  const add = (
    name: string,
    help: string,
    label: (level: string) => Labels,
    read: (load: QueueLoad) => number,
    type: 'gauge' | 'counter' = 'gauge',
  ): void => {
    const values = (): [Labels, number][] => {
      const { reads, writes } = limits.load;
      return [
        [label('readOnly'), read(reads)],
        [label('mutating'), read(writes)],
      ];
    };
    metrics.add(new Gauge(name, help, values, type));
  };
  const kind = (request_kind: string): Labels => ({ request_kind });
  const level = (priority_level: string): Labels => ({ priority_level });
  add('apiserver_current_inflight_requests', 'Requests that are served now.', kind, (load) => load.serving);
  add(
    'apiserver_current_inqueue_requests',
    'Requests that wait for their turn.',
    kind,
    (load) => load.waiting,
  );
  add(
    `${PREFIX}current_executing_requests`,
    'Number of requests that are being served.',
    level,
    (load) => load.serving,
  );
  add(
    `${PREFIX}current_inqueue_requests`,
    'Number of requests currently pending in queues.',
    level,
    (load) => load.waiting,
  );
  add(`${PREFIX}nominal_limit_seats`, 'Requests that may be served at once.', level, (load) => load.seats);
  add(
    `${PREFIX}dispatched_requests_total`,
    'Number of requests that got their turn.',
    level,
    (load) => load.started,
    'counter',
  );
  const rejected = (): [Labels, number][] => {
    const { reads, writes } = limits.load;
    return [
      [{ priority_level: 'readOnly', reason: 'queue-full' }, reads.refusedFull],
      [{ priority_level: 'mutating', reason: 'queue-full' }, writes.refusedFull],
      [{ priority_level: 'readOnly', reason: 'time-out' }, reads.refusedLate],
      [{ priority_level: 'mutating', reason: 'time-out' }, writes.refusedLate],
    ];
  };
  const help = 'Number of requests that were turned away.';
  metrics.add(new Gauge(`${PREFIX}rejected_requests_total`, help, rejected, 'counter'));
}
