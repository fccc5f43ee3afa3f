// The claims of a set's pods: their names, what they are made of, the volumes that point at them, and which of them
// are missing or in the way. Who owns them is retention.ts's.
import type { PersistentVolumeClaim, Pod, StatefulSet, Volume } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import type { ClaimWork } from './actions.ts';
import { claimName, claimTemplates, controllerReference } from './identity.ts';
import type { Claims } from './observation.ts';
import { hasConflictingController, retentionOf, withCorrectOwners } from './retention.ts';

/** The volumes of an ordinal's pod: one for each claim template; each replaces a template volume of its name. */
export function claimVolumes(set: StatefulSet, volumes: readonly Volume[], ordinal: number): Volume[] {
  const templates = claimTemplates(set);
  if (templates.length === 0) return [...volumes];
  const names = new Set(templates.map((template) => template.metadata.name));
  return [
    ...templates.map((template) => ({
      name: template.metadata.name ?? '',
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    })),
    ...volumes.filter((volume) => !names.has(volume.name)),
  ];
}

/** Whether the pod's volumes point at the claims of its ordinal (`storageMatches`). */
export function storageMatches(set: StatefulSet, pod: Pod, ordinal: number): boolean {
  return claimTemplates(set).every((template) =>
    pod.spec.volumes?.some(
      (volume) =>
        volume.name === template.metadata.name &&
        volume.persistentVolumeClaim?.claimName === claimName(set, template, ordinal),
    ),
  );
}

/** The claim of an ordinal as it is to be created, owned by the set from the first moment if whenDeleted says so. */
function newClaim(set: Stored<StatefulSet>, template: PersistentVolumeClaim, ordinal: number) {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec: template.spec,
  };
  if (template.metadata.annotations) claim.metadata.annotations = { ...template.metadata.annotations };
  if (retentionOf(set).whenDeleted === 'Delete') {
    claim.metadata.ownerReferences = [controllerReference(set, 'StatefulSet')];
  }
  return claim;
}

/**
 * What has to be done to the claims of an ordinal: those that are missing (if `create`), those with wrong owners.
 * @param pod the pod of the ordinal if there is one.
 */
export function claimWork(
  set: Stored<StatefulSet>,
  claims: Claims,
  ordinal: number,
  pod: Stored<Pod> | undefined,
  create: boolean,
): ClaimWork {
  const work: ClaimWork = { create: [], update: [], conflicting: [] };
  for (const template of claimTemplates(set)) {
    const claim = claims.get(claimName(set, template, ordinal));
    if (!claim) {
      if (create) work.create.push(newClaim(set, template, ordinal));
      continue;
    }
    const corrected = withCorrectOwners(set, claim, ordinal, pod);
    if (!corrected) continue;
    if (hasConflictingController(set, claim, ordinal, pod)) work.conflicting.push(claim.metadata.name);
    work.update.push(corrected);
  }
  return work;
}

/** The names of an ordinal's claims that somebody else controls, for the warning when its pod is created. */
export function conflictingClaims(set: Stored<StatefulSet>, claims: Claims, ordinal: number): string[] {
  return claimTemplates(set).flatMap((template) => {
    const claim = claims.get(claimName(set, template, ordinal));
    return claim && hasConflictingController(set, claim, ordinal, undefined) ? [claim.metadata.name] : [];
  });
}

export const isEmpty = (work: ClaimWork): boolean => work.create.length === 0 && work.update.length === 0;

/** The first claim of the ordinal that is being deleted: no pod can be made on it, it has to go first. */
export function terminatingClaim(set: StatefulSet, claims: Claims, ordinal: number) {
  return claimTemplates(set)
    .map((template) => claims.get(claimName(set, template, ordinal)))
    .find((claim) => claim !== undefined && isTerminating(claim));
}
