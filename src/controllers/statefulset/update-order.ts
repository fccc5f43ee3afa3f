// In which order an update takes the pods of other revisions: from the highest ordinal down to the partition, and those
// that `stead.dev/update-last` selects, a leader for example, after all others. Their labels are looked at whenever
// this is asked, so that a leader that has moved meanwhile is still the last.
import { firstUpdated } from './partition.ts';
import type { Condemned, Replica, Scene } from './scene.ts';

export interface UpdateOrder {
  /** Whoever is free to go, first come first. */
  now: Condemned[];
  /** Those that wait until all others are updated and available. */
  last: Condemned[];
}

/** The pods that the update still has to take. A selected one that is down leads nobody, and is like any other. */
export function updateOrder(scene: Scene): UpdateOrder {
  const outdated = scene.replicas
    .slice(firstUpdated(scene.set))
    .filter((replica): replica is Condemned => isOutdated(scene, replica))
    .reverse();
  const { updateLast } = scene.options;
  if (!updateLast) return { now: outdated, last: [] };
  const leads = ({ health, pod }: Condemned): boolean =>
    health.available && updateLast.matches(pod.metadata.labels);
  return { now: outdated.filter((replica) => !leads(replica)), last: outdated.filter(leads) };
}

function isOutdated({ revisions }: Scene, { health }: Replica): boolean {
  return health !== undefined && !health.terminating && health.revision !== revisions.update.name;
}
