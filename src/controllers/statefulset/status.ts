// A set's status: what is counted, and when an update is complete. The conditions are conditions.ts's.
import type { Pod, StatefulSetStatus } from '../../api/generated/types.ts';
import { isTerminating } from '../../api/objects.ts';
import { isAvailable, isRunningAndReady } from './health.ts';
import { replicasOf, revisionOf } from './identity.ts';
import { restartingContainer } from './in-place-record.ts';
import type { Scene } from './scene.ts';

/** Counts the pods as they were seen; those about to be deleted in this pass still count. */
export function countStatus(scene: Scene, pods: readonly Pod[]): StatefulSetStatus {
  const { current, update, collisionCount } = scene.revisions;
  const counts = { ready: 0, available: 0, current: 0, updated: 0 };
  for (const pod of pods) {
    if (isRunningAndReady(pod)) {
      counts.ready++;
      if (isAvailable(pod, scene.minReadySeconds, scene.now)) counts.available++;
    }
    // Updated is who runs the new images.
    if (isTerminating(pod) || restartingContainer(pod) !== undefined) continue;
    const revision = revisionOf(pod);
    if (revision === current.name) counts.current++;
    if (revision === update.name) counts.updated++;
  }
  return {
    observedGeneration: scene.set.metadata.generation ?? 0,
    replicas: pods.length,
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
  return { ...status, currentReplicas: status.updatedReplicas, currentRevision: status.updateRevision };
}
