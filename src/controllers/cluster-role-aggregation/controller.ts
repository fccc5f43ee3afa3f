// The loop that fills aggregated ClusterRoles (admin, edit, view and users' own) with the rules of the roles that they
// are made of. One change may reach several of them, one after the other.
import { isNotFound } from '../../api/errors.ts';
import { clusterRoles } from '../../api/resources/cluster-roles/definition.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { planAggregation } from './plan.ts';

/** Runs until the context's signal. */
export async function runClusterRoleAggregationController(context: RunContext): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('ClusterRoleAggregator'));
  const roles = informers.of(clusterRoles);
  try {
    await roles.synced();
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const reconcile = async (name: string): Promise<void> => {
    const role = roles.get(undefined, name);
    const rules = role && planAggregation(role, roles.list());
    if (!rules) return;
    try {
      await client.update(clusterRoles, { ...role, rules });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  const changed = (): void => {
    for (const role of roles.list()) if (role.aggregationRule) queue.add(role.metadata.name);
  };
  const unsubscribe = roles.subscribe({ added: changed, updated: changed, deleted: changed });
  await runWorkers(queue, 1, reconcile, log, signal);
  unsubscribe();
}
