// Of the servers of one cluster one leads: it runs the controllers and the scheduler. Which one, a Lease says; alone, a
// server holds it from its first moment.
import { runElected } from '../../client/leader-election.ts';
import type { RunContext } from '../../client/run-context.ts';
import { keepRunning } from '../process/keep-running.ts';
import type { Controller } from './controllers.ts';

/** Upstream's name, which its roles know. */
const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' };

/**
 * Runs the controllers whenever this server leads, until the context's signal.
 * @param context whose client takes the lease.
 * @param identity of this server among those of the cluster.
 * @param contextOf what a controller is run with, by its name; the signal ends it when the lead is lost.
 */
export async function lead(
  context: RunContext,
  identity: string,
  controllers: Readonly<Record<string, Controller>>,
  contextOf: (name: string, signal: AbortSignal) => RunContext,
): Promise<void> {
  await runElected(
    { ...context, log: context.log.named('leader') },
    { ...LEASE, identity },
    async (signal) => {
      const running = Object.entries(controllers).map(([name, run]) =>
        keepRunning(() => run(contextOf(name, signal)), name, { ...context, signal }),
      );
      await Promise.all(running);
    },
  );
}
