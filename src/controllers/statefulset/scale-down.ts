// The pods that the set does not want any more, highest ordinal first. OrderedReady deletes one at a time and only
// while nothing else is amiss: an unhealthy one holds the rest, unless it is the very one whose turn it is, or has
// never served anybody. Follows processCondemned upstream.
import { isTerminating } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import type { Action } from './actions.ts';
import { claimWork } from './claims.ts';
import { neverReady } from './recovery.ts';
import { type Condemned, isDown, type Scene, type Step } from './scene.ts';
import { untilAvailable, untilGone } from './waiting.ts';

/** Gives the claims of condemned pods the owners that the retention policy wants, before the pods go. */
export function fixCondemnedClaims({ set, claims, condemned }: Scene): Action[] {
  return condemned.flatMap((leaving): Action[] => {
    const { pod } = leaving;
    const work = claimWork(set, claims, leaving, false);
    return work.update.length > 0 ? [{ type: 'fixClaims', pod, claims: work }] : [];
  });
}

/** What is deleted for a smaller number of replicas. */
export function processCondemned(scene: Scene): Step {
  return scene.monotonic ? oneByOne(scene) : allAtOnce(scene);
}

const condemn = ({ pod }: Condemned): Action => ({ type: 'deletePod', pod, why: 'scaled down' });

function allAtOnce({ condemned }: Scene): Step {
  const actions = condemned.filter(({ pod }) => !isTerminating(pod)).map(condemn);
  const first = condemned[0];
  return { actions, blocked: first && untilGone(first.pod), stop: false };
}

function oneByOne(scene: Scene): Step {
  // All wanted pods are available here, so that only condemned ones can be the first unavailable. One that has never
  // been Ready, with a broken template perhaps, may never be, and would hold those above it, and so itself, for ever;
  // so would one that is over: nobody makes it again.
  const { paused, recoversRollouts } = scene.options;
  const holds = ({ pod }: Condemned): boolean =>
    !isPodFinished(pod) && (!recoversRollouts || paused || !neverReady(pod));
  const firstUnavailable = scene.condemned.findLast((each) => isDown(each) && holds(each));
  const next = scene.condemned[0];
  if (!next) return { actions: [], stop: false };
  if (isTerminating(next.pod)) return { actions: [], blocked: untilGone(next.pod), stop: true };
  const healthy = next.health.ready && next.health.available;
  if (!healthy && firstUnavailable && next !== firstUnavailable) {
    return { actions: [], blocked: untilAvailable(scene, firstUnavailable.pod), stop: true };
  }
  return { actions: [condemn(next)], blocked: untilGone(next.pod), stop: true };
}
