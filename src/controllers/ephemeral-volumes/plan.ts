// The claims of a pod's generic ephemeral volumes: each is made once, for the pod and owned by it, so that it goes when the
// pod does. A pure function. Follows pkg/controller/volume/ephemeral.
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { ephemeralClaimName, whyNotMadeFor } from '../../api/pod-state.ts';
import { present } from '../../base/present.ts';

export interface EphemeralPlan {
  create: { volume: string; claim: PersistentVolumeClaim }[];
  /** What keeps the pod from its first volume that cannot be had. */
  refused?: { volume: string; why: string };
}

/** @param claimOf the claim of that name in the pod's namespace, if there is one. */
export function planEphemeralClaims(
  pod: Stored<Pod>,
  claimOf: (name: string) => Stored<PersistentVolumeClaim> | undefined,
): EphemeralPlan {
  const plan: EphemeralPlan = { create: [] };
  if (isTerminating(pod)) return plan;
  for (const { name: volume, ephemeral } of pod.spec.volumes ?? []) {
    const template = ephemeral?.volumeClaimTemplate;
    if (!template) continue;
    const name = ephemeralClaimName(pod, volume);
    const existing = claimOf(name);
    if (!existing) {
      plan.create.push({ volume, claim: claimFor(pod, name, template) });
      continue;
    }
    const why = whyNotMadeFor(pod, existing);
    if (why) return { ...plan, refused: { volume, why } };
  }
  return plan;
}

type Template = NonNullable<
  NonNullable<NonNullable<Pod['spec']['volumes']>[number]['ephemeral']>['volumeClaimTemplate']
>;

function claimFor(pod: Stored<Pod>, name: string, { metadata, spec }: Template): PersistentVolumeClaim {
  const { labels, annotations } = metadata ?? {};
  const owner = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: present({
      namespace: pod.metadata.namespace,
      name,
      labels: labels && { ...labels },
      annotations: annotations && { ...annotations },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    }),
    // Handed over for good: the pod's own stays as it is.
    spec: structuredClone(spec),
  };
}
