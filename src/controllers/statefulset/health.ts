// What state a pod is in, in the words of upstream's controller: running and ready, available, unavailable, ended.
import { conditionOf, isReady } from '../../api/conditions.ts';
import type { Pod } from '../../api/generated/types.ts';
import { isTerminating } from '../../api/objects.ts';
import { identityMatches, revisionOf } from './identity.ts';
import { inPlaceRecord, restartingContainer } from './in-place-record.ts';

export const phaseOf = (pod: Pod): string => pod.status?.phase ?? 'Pending';

/** Failed or Succeeded: a pod of a set restarts always, so it has to be made again whatever its exit code. */
export function hasEnded(pod: Pod): boolean {
  const phase = phaseOf(pod);
  return phase === 'Failed' || phase === 'Succeeded';
}

/** A pod whose containers are being restarted with other images is not, whatever it still says. */
export function isRunningAndReady(pod: Pod): boolean {
  return phaseOf(pod) === 'Running' && isReady(pod) && restartingContainer(pod) === undefined;
}

/**
 * When a ready pod is, or was, available: minReadySeconds after it became ready. ms since the epoch; undefined for
 * a pod that is not ready, or does not say since when while it has to be so for some time.
 */
function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(ready.lastTransitionTime ?? '');
  return Number.isNaN(since) ? undefined : since + minReadySeconds * 1000;
}

/** Ready, and for at least minReadySeconds (`podutil.IsPodAvailable`). */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && at <= now && restartingContainer(pod) === undefined;
}

/** What the decisions of one pass ask of a pod again and again. */
export interface Health extends Said {
  available: boolean;
  /** When it is available, or was first: ms since the epoch; undefined while it is not ready. */
  availableAt: number | undefined;
}

/** What a pod says of itself, whatever the time is and the set asks for. */
interface Said {
  terminating: boolean;
  /** Running and ready. */
  ready: boolean;
  revision: string;
  /** Whether it does not run yet with the images that it was given in place. */
  restarting: boolean;
  /** Whether it bears the labels of its name, and no note of an update in place. */
  inLine: boolean;
}

// Objects are frozen and shared: of a large set, nearly all pods are the same from one pass to the next.
const known = new WeakMap<Pod, Said>();

function saidBy(pod: Pod): Said {
  let said = known.get(pod);
  if (said === undefined) {
    said = {
      terminating: isTerminating(pod),
      ready: isRunningAndReady(pod),
      revision: revisionOf(pod),
      restarting: restartingContainer(pod) !== undefined,
      inLine: identityMatches(pod) && inPlaceRecord(pod) === undefined,
    };
    known.set(pod, said);
  }
  return said;
}

export function healthOf(pod: Pod, minReadySeconds: number, now: number): Health {
  const { inLine, ready, restarting, revision, terminating } = saidBy(pod);
  // What is ready need not be asked since when, if that does not matter.
  const at = ready && minReadySeconds === 0 ? 0 : restarting ? undefined : availableAt(pod, minReadySeconds);
  return {
    terminating,
    ready,
    available: at !== undefined && at <= now,
    availableAt: at,
    revision,
    restarting,
    inLine,
  };
}
