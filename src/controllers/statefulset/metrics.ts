// What /metrics says of each set, under upstream's names (pkg/controller/statefulset/metrics): how many of its pods may
// be unavailable during an update, and how many are. Read off the sets when somebody asks; a pass pays nothing for it.
import type { StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { Gauge, type Labels, type Metrics } from '../../base/metrics.ts';
import type { Informer } from '../../client/informers.ts';
import { replicasOf } from './identity.ts';
import { maxUnavailableOf } from './partition.ts';

/** Takes up the metrics of all sets. */
export function addSetMetrics(metrics: Metrics, sets: Pick<Informer<StatefulSet>, 'list'>): void {
  const add = (name: string, help: string, read: (set: Stored<StatefulSet>) => number | undefined): void => {
    const values = function* (): Iterable<[Labels, number]> {
      for (const set of sets.list()) {
        const value = read(set);
        if (value !== undefined) yield [labelsOf(set), value];
      }
    };
    metrics.add(new Gauge(`statefulset_controller_${name}`, help, values));
  };
  add(
    'statefulset_max_unavailable',
    'Maximum number of unavailable pods allowed during StatefulSet rolling updates',
    (set) => (set.spec.updateStrategy?.rollingUpdate ? maxUnavailableOf(set) : undefined),
  );
  add('statefulset_unavailable_replicas', 'Current number of unavailable pods in StatefulSet', (set) =>
    Math.max(0, replicasOf(set) - (set.status?.availableReplicas ?? 0)),
  );
}

function labelsOf({ metadata: { name, namespace = '' }, spec }: Stored<StatefulSet>): Labels {
  return {
    statefulset_namespace: namespace,
    statefulset_name: name,
    pod_management_policy: spec.podManagementPolicy ?? 'OrderedReady',
  };
}
