// Rolling updates: which pods of another revision are taken to the update revision: deleted, so that they are made
// again at it, or changed in place. Never more down at once than maxUnavailable; the order is update-order.ts's.
// Follows updateStatefulSetAfterInvariantEstablished upstream. Strategy Recreate is recreate.ts's.
import type { Action, Blocked } from './actions.ts';
import { type InPlaceUpdate, inPlaceUpdate } from './in-place.ts';
import { maxUnavailableOf } from './partition.ts';
import { type Condemned, isDown, type Scene, type Step } from './scene.ts';
import { updateOrder } from './update-order.ts';
import { untilAvailable, untilGone, untilRestarted } from './waiting.ts';

/** What is done for the update; nothing with strategy OnDelete, and nothing while it is paused. */
export function processUpdate(scene: Scene): Step {
  const { options, set } = scene;
  if (set.spec.updateStrategy?.type === 'OnDelete' || options.paused) return { actions: [], stop: true };
  const unavailable = scene.replicas.filter(isDown);
  const budget = maxUnavailableOf(set) - unavailable.length;
  const order = updateOrder(scene);
  const mayTakeLast = order.now.length === 0 && unavailable.length === 0;
  const updates = (mayTakeLast ? order.last : order.now).map((replica) => ({
    replica,
    inPlace: inPlaceUpdate(scene, replica),
  }));
  // New labels and annotations take nothing down: they cost nothing of the budget.
  const light = updates.filter(({ inPlace }) => inPlace?.restarted.length === 0);
  const heavy = updates.filter(({ inPlace }) => inPlace?.restarted.length !== 0);
  const chosen = scene.monotonic ? heavy.slice(0, Math.max(0, budget)) : chooseInParallel(heavy, budget);
  const actions = [...light, ...chosen].map(
    ({ replica, inPlace }): Action => inPlace ?? { type: 'deletePod', pod: replica.pod, why: 'update' },
  );
  const first = chosen[0];
  if (first) return { actions, blocked: untilUpdated(first), stop: true };
  const down = unavailable.findLast(({ pod }) => pod !== undefined)?.pod;
  return { actions, blocked: down && untilAvailable(scene, down), stop: true };
}

interface Update {
  replica: Condemned;
  /** Left out: the pod is made again. */
  inPlace: InPlaceUpdate | undefined;
}

function untilUpdated({ replica: { pod }, inPlace }: Update): Blocked {
  return inPlace ? untilRestarted(pod, inPlace.restarted) : untilGone(pod);
}

/**
 * Those that are down already cost nothing and go first, whatever the budget; the rest of the budget goes to the
 * highest ordinals.
 */
function chooseInParallel(updates: Update[], budget: number): Update[] {
  const isUp = ({ replica }: Update): boolean => replica.health.available;
  const down = updates.filter((update) => !isUp(update));
  return [...down, ...updates.filter(isUp).slice(0, Math.max(0, budget))];
}
