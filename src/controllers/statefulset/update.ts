// Rolling updates: which pods of another revision are deleted, so that they are made again at the update revision.
// From the highest ordinal down to the partition, never more down at once than maxUnavailable. Follows
// updateStatefulSetAfterInvariantEstablished upstream. Strategy Recreate is recreate.ts's.
import { isTerminating } from '../../api/objects.ts';
import type { Action } from './actions.ts';
import { isAvailable } from './health.ts';
import { revisionOf } from './identity.ts';
import { firstUpdated, maxUnavailableOf } from './partition.ts';
import { type Condemned, type Replica, replicaUnavailable, type Scene, type Step } from './scene.ts';
import { untilAvailable, untilGone } from './waiting.ts';

/** What is deleted for the update; nothing with strategy OnDelete. */
export function processUpdate(scene: Scene): Step {
  if (scene.set.spec.updateStrategy?.type === 'OnDelete') return { actions: [], stop: true };
  const unavailable = scene.replicas.filter((replica) => replicaUnavailable(scene, replica));
  const budget = maxUnavailableOf(scene.set) - unavailable.length;
  const outdated = scene.replicas
    .slice(firstUpdated(scene.set))
    .filter((replica): replica is Condemned => isOutdated(scene, replica))
    .reverse();
  const chosen = scene.monotonic
    ? outdated.slice(0, Math.max(0, budget))
    : chooseInParallel(scene, outdated, budget);
  const actions = chosen.map(({ pod }): Action => ({ type: 'deletePod', pod, why: 'update' }));
  const first = chosen[0];
  if (first) return { actions, blocked: untilGone(first.pod), stop: true };
  const down = unavailable.findLast(({ pod }) => pod !== undefined)?.pod;
  return { actions, blocked: down && untilAvailable(scene, down), stop: true };
}

function isOutdated({ revisions }: Scene, { pod }: Replica): boolean {
  return pod !== undefined && !isTerminating(pod) && revisionOf(pod) !== revisions.update.name;
}

/**
 * Those that are down already cost nothing and go first, whatever the budget; the rest of the budget goes to the
 * highest ordinals.
 */
function chooseInParallel(scene: Scene, outdated: Condemned[], budget: number): Condemned[] {
  const isUp = ({ pod }: Condemned): boolean => isAvailable(pod, scene.minReadySeconds, scene.now);
  const down = outdated.filter((replica) => !isUp(replica));
  return [...down, ...outdated.filter(isUp).slice(0, Math.max(0, budget))];
}
