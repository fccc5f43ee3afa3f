// A set's status: what is counted, and when an update is complete. The conditions are conditions.ts's.
import type { StatefulSetStatus } from '../../api/generated/types.ts';
import { present } from '../../base/present.ts';
import { replicasOf } from './identity.ts';
import type { Replica, Scene } from './scene.ts';

/** Counts the pods as they were seen; those about to be deleted in this pass still count. */
export function countStatus(scene: Scene): StatefulSetStatus {
  const { current, update, collisionCount } = scene.revisions;
  const counts = { all: 0, ready: 0, available: 0, current: 0, updated: 0 };
  const count = ({ health }: Replica): void => {
    if (!health) return;
    counts.all++;
    if (health.ready) {
      counts.ready++;
      if (health.available) counts.available++;
    }
    // Updated is who runs the new images.
    if (health.terminating || health.restarting) return;
    if (health.revision === current.name) counts.current++;
    if (health.revision === update.name) counts.updated++;
  };
  scene.replicas.forEach(count);
  scene.condemned.forEach(count);
  return {
    observedGeneration: scene.set.metadata.generation ?? 0,
    replicas: counts.all,
    readyReplicas: counts.ready,
    availableReplicas: counts.available,
    currentReplicas: counts.current,
    updatedReplicas: counts.updated,
    currentRevision: current.name,
    updateRevision: update.name,
    collisionCount,
  };
}

/**
 * The status with the update completed, if it is: all wanted pods, and no other, are ready at the update revision.
 * With OnDelete an update is never complete, as upstream.
 */
export function completeUpdate({ set }: Scene, status: StatefulSetStatus): StatefulSetStatus {
  const replicas = replicasOf(set);
  const complete =
    set.spec.updateStrategy?.type !== 'OnDelete' &&
    status.updatedReplicas === replicas &&
    status.readyReplicas === replicas &&
    status.replicas === replicas;
  if (!complete) return status;
  const { updatedReplicas: currentReplicas, updateRevision: currentRevision } = status;
  return present({ ...status, currentReplicas, currentRevision });
}
