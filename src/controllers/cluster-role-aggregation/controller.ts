// Fills aggregated ClusterRoles (admin, edit, view and users' own) with the rules of the roles that they are made of. One
// change may reach several of them, one after the other.
import { orUndefined } from '../../api/errors.ts';
import { clusterRoles } from '../../api/resources/cluster-roles/definition.ts';
import { runController, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { planAggregation } from './plan.ts';

/** Runs until the context's signal. */
export async function runClusterRoleAggregationController(context: RunContext): Promise<void> {
  const { client, informers } = context;
  const roles = informers.of(clusterRoles);
  const aggregated = () =>
    roles.list().flatMap(({ aggregationRule, metadata }) => (aggregationRule ? [metadata] : []));
  await runController(context, 'ClusterRoleAggregator', {
    workers: 1,
    watches: [watch(roles, { changed: aggregated, deleted: aggregated })],
    async reconcile({ name }) {
      const role = roles.get(undefined, name);
      const rules = role && planAggregation(role, roles.list());
      if (rules) await orUndefined(client.update(clusterRoles, { ...role, rules }));
    },
  });
}
