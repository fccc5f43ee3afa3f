// Protects claims and volumes in use from deletion. Before a claim is let go the API itself is asked for its pods: a cache
// that lags behind must not cost a running pod its volume.
import { CLAIM_PROTECTION, VOLUME_PROTECTION } from '../../api/between/volume-binding.ts';
import { orUndefined } from '../../api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { isTerminating, keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { assertNever } from '../../base/assert-never.ts';
import { ControllerQueue, runControllerOn, watch } from '../../client/controller.ts';
import { type KindKey, kindKey, kindKeys } from '../../client/queue-keys.ts';
import type { RunContext } from '../../client/run-context.ts';
import {
  isShutDown,
  type ProtectionPlan,
  planClaimProtection,
  planVolumeProtection,
  usesClaim,
} from './plan.ts';

/** Runs the protection of claims and of volumes until the context's signal. */
export async function runProtectionController(context: RunContext): Promise<void> {
  const { client, informers } = context;
  const claims = informers.of(persistentVolumeClaims);
  const volumes = informers.of(persistentVolumes);
  const allPods = informers.of(pods);
  allPods.addIndex(PODS_BY_CLAIM, claimKeysOf);

  const isUsed = async (claim: Stored<PersistentVolumeClaim>): Promise<boolean> => {
    const { namespace, name } = claim.metadata;
    if (allPods.byIndex(PODS_BY_CLAIM, keyOf(claim)).some((pod) => usesClaim(pod, name))) return true;
    const live = await client.list(pods, { namespace });
    return live.items.some((pod) => usesClaim(pod, name));
  };
  const podGone = (pod: Stored<Pod>): KindKey<'claim'>[] =>
    claimKeysOf(pod).flatMap((key) => {
      const { namespace, name } = parseKey(key);
      const claim = claims.get(namespace, name);
      return claim && isTerminating(claim) ? [kindKey('claim', claim.metadata)] : [];
    });

  const queue = new ControllerQueue(context, 'pvcprotection', kindKeys('claim', 'volume'));
  await runControllerOn(queue, context, {
    workers: 4,
    watches: [
      watch(claims, {
        changed: (claim) =>
          planClaimProtection(claim, false) === 'keep' ? [] : [kindKey('claim', claim.metadata)],
      }),
      watch(volumes, {
        changed: (volume) =>
          planVolumeProtection(volume) === 'keep' ? [] : [kindKey('volume', volume.metadata)],
      }),
      watch(allPods, {
        deleted: podGone,
        updated: (pod, old) => [
          // The news of an end and of a beginning may have come as one.
          ...(old.metadata.uid === pod.metadata.uid ? [] : podGone(old)),
          ...(isShutDown(pod) ? podGone(pod) : []),
        ],
      }),
    ],
    async reconcile({ kind, namespace, name }) {
      switch (kind) {
        case 'volume': {
          const volume = volumes.get(undefined, name);
          if (!volume) return;
          const plan = planVolumeProtection(volume);
          return carryOut(context, persistentVolumes, volume, VOLUME_PROTECTION, plan);
        }
        case 'claim': {
          const claim = claims.get(namespace, name);
          if (!claim) return;
          const mayGo = planClaimProtection(claim, false) === 'remove';
          const plan = planClaimProtection(claim, mayGo && (await isUsed(claim)));
          return carryOut(context, persistentVolumeClaims, claim, CLAIM_PROTECTION, plan);
        }
        default:
          assertNever(kind);
      }
    },
  });
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
  await orUndefined(client.update(resource, { ...object, metadata: { ...object.metadata, finalizers } }));
}
