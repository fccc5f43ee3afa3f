// Strategy Recreate (KEP-3541): all pods of other revisions are deleted at once and have to be gone before the first
// is made again, so that old and new never run side by side. Making them again is replicas.ts's, as for any pod.
import { isTerminating } from '../../api/objects.ts';
import type { Action } from './actions.ts';
import { revisionOf } from './identity.ts';
import type { Scene, Step } from './scene.ts';
import { untilGone } from './waiting.ts';

/** What is deleted before anything else may happen; stops the pass as long as an old pod is there. */
export function processRecreate(scene: Scene): Step {
  const isRecreate = scene.set.spec.updateStrategy?.type === 'Recreate';
  if (!isRecreate || scene.options.paused) return { actions: [], stop: false };
  const pods = [...scene.condemned, ...scene.replicas.toReversed()].flatMap(({ pod }) => pod ?? []);
  const old = pods.filter((pod) => revisionOf(pod) !== scene.revisions.update.name);
  const first = old[0];
  if (!first) return { actions: [], stop: false };
  const actions = old
    .filter((pod) => !isTerminating(pod))
    .map((pod): Action => ({ type: 'deletePod', pod, why: 'update' }));
  return { actions, blocked: untilGone(first), stop: true };
}
