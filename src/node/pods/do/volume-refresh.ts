// Keeps what configMaps, secrets, tokens and downward API fields say in the volumes of running pods up to date: each
// pod by itself, so that one whose volume cannot be made holds up no other. Setting volumes up is the plan's business.

import type { Pod } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { type Clock, sleep } from '../../../base/clock.ts';
import { eachByItself } from '../../../base/each-by-itself.ts';
import { errorText } from '../../../base/error-text.ts';
import { VolumeNotReadyError } from '../../volumes/volumes.ts';
import { doubled } from '../decide/backoff.ts';
import type { NodeServices } from './node-services.ts';
import type { WorkerState } from './worker-state.ts';

/** How many pods are refreshed side by side. */
const AT_ONCE = 16;
/** A pod that takes longer than this goes on without its place. */
const PATIENCE_MS = 60_000;
const RETRY = { firstMs: 30_000, maxMs: 120_000 };

/** A pod whose volumes can be brought up to date. */
export interface Refreshable {
  /** Does nothing when it is not due. Never rejects. */
  refreshVolumes(): Promise<void>;
}

/** Gives every pod its turn. Never rejects; a pod that hangs keeps the others from nothing. */
export function refreshAll(pods: Iterable<Refreshable>, clock: Clock): Promise<void> {
  const inTime = async (pod: Refreshable): Promise<void> => {
    const done = new AbortController();
    const refreshed = pod.refreshVolumes().finally(() => done.abort());
    await Promise.race([refreshed, sleep(clock, PATIENCE_MS, done.signal)]);
  };
  return eachByItself(pods, AT_ONCE, inTime, () => {});
}

/**
 * Refreshes one pod, unless its volumes are not in place, are just being changed, or failed a short while ago. While
 * it lasts nobody takes them down. What goes wrong is an event of the pod, and tried again.
 * @returns whether it was done, well or badly.
 */
export async function refreshVolumes(
  services: NodeServices,
  state: WorkerState,
  pod: Stored<Pod>,
): Promise<boolean> {
  const { clock, events, log, volumes } = services;
  const before = state.refreshFailure;
  if (state.volumes.state !== 'ready' || state.ending !== undefined || state.busy.has('volumes'))
    return false;
  if (before !== undefined && clock.now() < before.retryAtMs) return false;
  state.busy.add('volumes');
  try {
    await volumes.refresh(pod);
    state.refreshFailure = undefined;
  } catch (error) {
    const failedAtMs = clock.now();
    const delayMs = before ? doubled(before.retryAtMs - before.failedAtMs, RETRY.maxMs) : RETRY.firstMs;
    const known = error instanceof VolumeNotReadyError;
    const message = errorText(error);
    const reason = known ? error.reason : 'FailedMount';
    state.refreshFailure = { reason, message, failedAtMs, retryAtMs: failedAtMs + delayMs };
    events.record(pod, { type: 'Warning', reason, message });
    if (!known && before?.message !== message) {
      const { name, namespace } = pod.metadata;
      log.error('refreshing the volumes of a pod failed', error, { pod: `${namespace}/${name}` });
    }
  } finally {
    state.busy.delete('volumes');
  }
  return true;
}
