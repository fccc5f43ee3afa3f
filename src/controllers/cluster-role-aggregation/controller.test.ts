import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRoles } from '../../api/resources/cluster-roles/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { ensureDefaultRbac } from '../../apiserver/authz/ensure-default-rbac.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runClusterRoleAggregationController } from './controller.ts';

test('admin, edit and view hold what they are made of, also what comes later', async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client } = cluster;
    await client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });
    await ensureDefaultRbac(client);
    cluster.run(runClusterRoleAggregationController(cluster.contextOf('cluster-role-aggregation')));
    const resources = async (name: string): Promise<string[]> =>
      ((await client.get(clusterRoles, { name })).rules ?? []).flatMap((rule) => rule.resources ?? []);
    await cluster.until(async () => (await resources('admin')).includes('roles'), 'admin has its own rules');
    await cluster.until(
      async () => (await resources('admin')).includes('pods/log'),
      'admin has those of view',
    );
    assert.ok(!(await resources('view')).includes('secrets'));
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    const rules = [{ verbs: ['get'], apiGroups: ['example.com'], resources: ['widgets'] }];
    await client.create(clusterRoles, { metadata: { name: 'widgets', labels }, rules });
    await cluster.until(async () => (await resources('edit')).includes('widgets'), 'a new role flows in');
    await client.delete(clusterRoles, { name: 'widgets' });
    await cluster.until(async () => !(await resources('admin')).includes('widgets'), 'and out again');
  } finally {
    await cluster.stop();
  }
});
