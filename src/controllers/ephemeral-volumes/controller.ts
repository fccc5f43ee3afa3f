// Makes the claims of pods' generic ephemeral volumes: a key per pod. A claim that is deleted under its pod is made again;
// one of the same name that belongs to somebody else, as that of the pod's predecessor, is waited out.
import { isAlreadyExists } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import { keyOf, type ObjectKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { errorText } from '../../base/error-text.ts';
import { runController, watch } from '../../client/controller.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { planEphemeralClaims } from './plan.ts';

/** Runs the ephemeral volume controller until the context's signal. */
export async function runEphemeralVolumesController(context: RunContext): Promise<void> {
  const { client, informers } = context;
  const recorder = createRecorder(context, 'ephemeral_volume');
  const allPods = informers.of(pods);
  const claims = informers.of(persistentVolumeClaims);
  allPods.addIndex(PODS_BY_CLAIM, claimKeysOf);

  const added = (pod: Stored<Pod>): ObjectKey[] =>
    pod.spec.volumes?.some(({ ephemeral }) => ephemeral) ? [pod.metadata] : [];
  const refuse = (pod: Stored<Pod>, volume: string, why: string): void =>
    recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume}: ${why}`);

  await runController(context, 'ephemeral_volume', {
    workers: 4,
    watches: [
      watch(allPods, { added }),
      watch(claims, {
        deleted: (claim) => allPods.byIndex(PODS_BY_CLAIM, keyOf(claim)).flatMap(added),
      }),
    ],
    async reconcile({ namespace, name }) {
      const pod = allPods.get(namespace, name);
      if (!pod) return;
      const plan = planEphemeralClaims(pod, (claim) => claims.get(namespace, claim));
      for (const { volume, claim } of plan.create) {
        try {
          await client.create(persistentVolumeClaims, claim);
        } catch (error) {
          const made = claim.metadata.name;
          const why = `create PVC ${made}: ${errorText(error)}`;
          // The informer has not told of it yet; whose it is will be seen then.
          if (!isAlreadyExists(error)) refuse(pod, volume, why);
          throw error;
        }
      }
      // Once somebody removes the other claim, the pod comes again.
      if (plan.refused) refuse(pod, plan.refused.volume, plan.refused.why);
    },
  });
}
