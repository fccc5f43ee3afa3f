// The loops that protect claims and volumes in use from deletion. Before a claim is let go the API itself is asked
// for its pods: a cache that lags behind must not cost a running pod its volume.
import { isNotFound } from '../../api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { isTerminating, keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import {
  CLAIM_PROTECTION,
  isShutDown,
  type ProtectionPlan,
  planClaimProtection,
  planVolumeProtection,
  usesClaim,
  VOLUME_PROTECTION,
} from './plan.ts';

const WORKERS = 4;
/** In front of the keys in the queue: claims have a namespace, volumes have none. */
const VOLUME = 'volume:';

/** Runs the protection of claims and of volumes until the context's signal. */
export async function runProtectionController(context: RunContext): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('pvcprotection'));
  const claims = informers.of(persistentVolumeClaims);
  const volumes = informers.of(persistentVolumes);
  const podInformer = informers.of(pods);
  podInformer.addIndex(PODS_BY_CLAIM, claimKeysOf);
  try {
    await Promise.all([claims.synced(), volumes.synced(), podInformer.synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  const isUsed = async (claim: Stored<PersistentVolumeClaim>): Promise<boolean> => {
    const { namespace, name } = claim.metadata;
    if (podInformer.byIndex(PODS_BY_CLAIM, keyOf(claim)).some((pod) => usesClaim(pod, name))) return true;
    const live = await client.list(pods, { namespace });
    return live.items.some((pod) => usesClaim(pod, name));
  };

  const reconcile = async (key: string): Promise<void> => {
    if (key.startsWith(VOLUME)) {
      const volume = volumes.get(undefined, key.slice(VOLUME.length));
      if (volume)
        await carryOut(context, persistentVolumes, volume, VOLUME_PROTECTION, planVolumeProtection(volume));
      return;
    }
    const { namespace, name } = parseKey(key);
    const claim = claims.get(namespace, name);
    if (!claim) return;
    const mayGo = planClaimProtection(claim, false) === 'remove';
    const plan = planClaimProtection(claim, mayGo && (await isUsed(claim)));
    await carryOut(context, persistentVolumeClaims, claim, CLAIM_PROTECTION, plan);
  };

  const claimChanged = (claim: Stored<PersistentVolumeClaim>): void => {
    if (planClaimProtection(claim, false) !== 'keep') queue.add(keyOf(claim));
  };
  const volumeChanged = (volume: Stored<PersistentVolume>): void => {
    if (planVolumeProtection(volume) !== 'keep') queue.add(VOLUME + volume.metadata.name);
  };
  const podGone = (pod: Stored<Pod>): void => {
    for (const key of claimKeysOf(pod)) {
      const { namespace, name } = parseKey(key);
      const claim = claims.get(namespace, name);
      if (claim && isTerminating(claim)) queue.add(key);
    }
  };
  const unsubscribe = [
    claims.subscribe({ added: claimChanged, updated: claimChanged }),
    volumes.subscribe({ added: volumeChanged, updated: volumeChanged }),
    podInformer.subscribe({
      deleted: podGone,
      updated: (pod, old) => {
        // The news of an end and of a beginning may have come as one.
        if (old.metadata.uid !== pod.metadata.uid) podGone(old);
        if (isShutDown(pod)) podGone(pod);
      },
    }),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}

async function carryOut<T extends PersistentVolume | PersistentVolumeClaim>(
  { client }: RunContext,
  resource: ResourceDefinition<T>,
  object: Stored<T>,
  finalizer: string,
  plan: ProtectionPlan,
): Promise<void> {
  if (plan === 'keep') return;
  const others = (object.metadata.finalizers ?? []).filter((existing) => existing !== finalizer);
  const finalizers = plan === 'add' ? [...others, finalizer] : others;
  try {
    await client.update(resource, { ...object, metadata: { ...object.metadata, finalizers } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
