// Recovery of stuck rollouts. OrderedReady waits for a pod to become Ready before it touches another, and so waits for
// ever for one that was made from a broken template, however often the template is put right (kubernetes#67250).
// Such a pod has never served anybody, and is made again at the revision that it would be made at now.
import { conditionOf } from '../../api/conditions.ts';
import type { Pod } from '../../api/generated/types.ts';
import { isTerminating } from '../../api/objects.ts';
import { revisionOf } from './identity.ts';
import { inPlaceRecord } from './in-place-record.ts';
import { revisionForNewPod } from './partition.ts';
import type { Condemned, Scene } from './scene.ts';

/** Whether a pod in the way of the set is one that only its replacement can get out of it. */
export function isStuck(scene: Scene, replica: Condemned): boolean {
  const { set, options, revisions } = scene;
  const { pod } = replica;
  if (!options.recoversRollouts || options.paused || isTerminating(pod)) return false;
  if (set.spec.updateStrategy?.type === 'OnDelete') return false;
  const { update } = revisions;
  if (revisionOf(pod) === update.name || revisionForNewPod(scene, replica) !== update) return false;
  return neverReady(pod);
}

/**
 * Whether the pod has not been Ready since it was made, or since it was updated in place. When in doubt (a pod that
 * does not say since when it is not Ready), it counts as having been.
 */
export function neverReady(pod: Pod): boolean {
  const startTime = pod.status?.startTime;
  const ready = conditionOf(pod, 'Ready');
  // No node has begun with it.
  if (!ready) return startTime === undefined;
  if (ready.status === 'True') return false;
  // The record goes when the pod is Ready with its new images.
  if (inPlaceRecord(pod)) return true;
  // The first conditions have the time of the start; one that was True in between has changed later than that. Times
  // are in whole seconds: stead's nodes see to it that no end of readiness has the time of its beginning.
  return Date.parse(ready.lastTransitionTime ?? '') <= Date.parse(startTime ?? '');
}
