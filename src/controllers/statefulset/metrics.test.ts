import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../base/metrics.ts';
import { addSetMetrics } from './metrics.ts';
import { makeSet } from './test-fixtures.ts';

test('how many pods of a set may be down, and how many are, under the names of upstream', async () => {
  const rolling = makeSet({
    spec: {
      replicas: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%' } },
    },
    status: { availableReplicas: 7 },
  });
  const byHand = makeSet({
    metadata: { name: 'db', namespace: 'team' },
    spec: { replicas: 1, podManagementPolicy: 'Parallel', updateStrategy: { type: 'OnDelete' } },
    status: { availableReplicas: 3 },
  });
  const metrics = new Metrics();
  addSetMetrics(metrics, { list: () => [rolling, byHand] });
  const lines = (await metrics.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  const labels =
    'statefulset_namespace="default",statefulset_name="web",pod_management_policy="OrderedReady"';
  assert.deepEqual(lines, [
    `statefulset_controller_statefulset_max_unavailable{${labels}} 2`,
    `statefulset_controller_statefulset_unavailable_replicas{${labels}} 3`,
    'statefulset_controller_statefulset_unavailable_replicas{statefulset_namespace="team",statefulset_name="db",pod_management_policy="Parallel"} 0',
  ]);
});
