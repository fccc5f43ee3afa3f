// The loop that makes the claims of pods' generic ephemeral volumes: a key per pod. A claim that is deleted under its pod
// is made again; one of the same name that belongs to somebody else, as that of the pod's predecessor, is waited out.
import { isAlreadyExists } from '../../api/errors.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { planEphemeralClaims } from './plan.ts';

const WORKERS = 4;

/** Runs the ephemeral volume controller until the context's signal. */
export async function runEphemeralVolumesController(context: RunContext): Promise<void> {
  const { client, informers, clock, random, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('ephemeral_volume'));
  const recorder = createRecorder(client, clock, random, 'ephemeral_volume', '', log, signal);
  const allPods = informers.of(pods);
  const claims = informers.of(persistentVolumeClaims);
  allPods.addIndex(PODS_BY_CLAIM, claimKeysOf);
  try {
    await Promise.all([allPods.synced(), claims.synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = parseKey(key);
    const pod = allPods.get(namespace, name);
    if (!pod) return;
    const plan = planEphemeralClaims(pod, (claim) => claims.get(namespace, claim));
    for (const { volume, claim } of plan.create) {
      try {
        await client.create(persistentVolumeClaims, claim);
      } catch (error) {
        const made = claim.metadata.name;
        const why = `create PVC ${made}: ${error instanceof Error ? error.message : String(error)}`;
        // The informer has not told of it yet; whose it is will be seen then.
        if (!isAlreadyExists(error)) refuse(pod, volume, why);
        throw error;
      }
    }
    // Once somebody removes the other claim, the pod comes again.
    if (plan.refused) refuse(pod, plan.refused.volume, plan.refused.why);
  };

  const refuse = (pod: Stored<Pod>, volume: string, why: string): void =>
    recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume}: ${why}`);

  const added = (pod: Stored<Pod>): void => {
    if (pod.spec.volumes?.some(({ ephemeral }) => ephemeral)) queue.add(keyOf(pod));
  };
  const claimGone = (claim: Stored<PersistentVolumeClaim>): void => {
    for (const pod of allPods.byIndex(PODS_BY_CLAIM, keyOf(claim))) added(pod);
  };
  const unsubscribe = [allPods.subscribe({ added }), claims.subscribe({ deleted: claimGone })];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}
