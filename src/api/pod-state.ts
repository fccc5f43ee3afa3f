// Questions about a pod's state that many rooms ask: is it over, is it critical, which claims does it use.
import type { Container, PersistentVolumeClaim, Pod } from './generated/types.ts';
import { type NamespacedName, nameOf, type Stored } from './objects.ts';

/** Whether all its containers have ended for good: phase Succeeded or Failed. */
export function isPodFinished(pod: Pod): boolean {
  return isTerminalPhase(pod.status?.phase);
}

/** Whether a phase is one that ends a pod's life. */
export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Whether an init container is a sidecar: it goes on running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Upstream's SystemCriticalPriority. */
const CRITICAL_PRIORITY = 2_000_000_000;

/** Whether a node needs the pod itself: such pods are taken in and kept also when it runs short (IsCriticalPod). */
export function isCriticalPod({ metadata, spec }: Pod): boolean {
  const { annotations = {} } = metadata;
  const isStatic =
    'kubernetes.io/config.mirror' in annotations ||
    (annotations['kubernetes.io/config.source'] ?? 'api') !== 'api';
  return isStatic || (spec.priority ?? 0) >= CRITICAL_PRIORITY;
}

/** A claim that a pod uses; an ephemeral one is made for the pod and named after it. */
export interface ClaimUse {
  claimName: string;
  ephemeral: boolean;
}

/** The claim of a pod's generic ephemeral volume. */
export const ephemeralClaimName = (pod: Pod, volumeName: string): string =>
  `${pod.metadata.name}-${volumeName}`;

/** The claims that the pod's volumes name, in order; those of its generic ephemeral volumes too. */
export function claimsOf(pod: Pod): ClaimUse[] {
  const uses: ClaimUse[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.persistentVolumeClaim) {
      uses.push({ claimName: volume.persistentVolumeClaim.claimName, ephemeral: false });
    } else if (volume.ephemeral) {
      uses.push({ claimName: ephemeralClaimName(pod, volume.name), ephemeral: true });
    }
  }
  return uses;
}

/**
 * Why a claim is not the one that was made for the pod's generic ephemeral volume, in upstream's words; undefined if it
 * is. A claim that happens to have the name holds somebody else's data.
 */
export function whyNotMadeFor(pod: Stored<Pod>, claim: PersistentVolumeClaim): string | undefined {
  const { namespace, name } = claim.metadata;
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner?.uid === pod.metadata.uid) return undefined;
  const about = `${pod.metadata.namespace}/${pod.metadata.name}`;
  return `PVC ${namespace}/${name} was not created for pod ${about} (pod is not owner)`;
}

/** The informer's index of pods by `claimKeysOf`. */
export const PODS_BY_CLAIM = 'claim';

/** For an informer's index of pods by the claims they use: `namespace/claim`. */
export function claimKeysOf(pod: Pod): NamespacedName[] {
  const { namespace } = pod.metadata;
  return claimsOf(pod).map(({ claimName: name }) => nameOf({ namespace, name }));
}
