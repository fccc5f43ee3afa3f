// The claims of a set's pods: their names, what they are made of, the volumes that point at them, and which of them
// are missing or in the way. Who owns them is retention.ts's.

import { SELECTED_NODE } from '../../api/between/volume-binding.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet, Volume } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { present } from '../../base/present.ts';
import { controllerReference } from '../ownership.ts';
import type { ClaimWork } from './actions.ts';
import { claimTemplates, type Place, placeOf } from './identity.ts';
import type { Claims } from './observation.ts';
import { hasConflictingController, retentionOf, withCorrectOwners } from './retention.ts';

/** The volumes of an ordinal's pod: one for each claim template; each replaces a template volume of its name. */
export function claimVolumes(set: StatefulSet, volumes: readonly Volume[], ordinal: number): Volume[] {
  const templates = claimTemplates(set);
  if (templates.length === 0) return [...volumes];
  const names = new Set(templates.map((template) => template.metadata.name));
  const { claimNames } = placeOf(set, ordinal);
  return [
    ...templates.map((template, index) => ({
      name: template.metadata.name ?? '',
      persistentVolumeClaim: { claimName: claimNames[index] ?? '' },
    })),
    ...volumes.filter((volume) => !names.has(volume.name)),
  ];
}

/** Whether the pod's volumes point at the claims of its ordinal (`storageMatches`). */
export function storageMatches(set: StatefulSet, pod: Pod, { claimNames }: Place): boolean {
  const { volumes = [] } = pod.spec;
  return claimTemplates(set).every((template, index) => {
    const { name } = template.metadata;
    // As they are made, the claims' volumes come first, in the order of their templates.
    const first = volumes[index];
    const volume = first?.name === name ? first : volumes.find((each) => each.name === name);
    return volume?.persistentVolumeClaim?.claimName === claimNames[index];
  });
}

/** The claim of an ordinal as it is to be created, owned by the set from the first moment if whenDeleted says so. */
function newClaim(
  set: Stored<StatefulSet>,
  template: PersistentVolumeClaim,
  name: string,
  nodeName: string | undefined,
): PersistentVolumeClaim {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: present({
      name,
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      annotations: template.metadata.annotations && { ...template.metadata.annotations },
    }),
    spec: template.spec,
  };
  // The scheduler names the node of a claim that waits for its first consumer, and does not look at the pod again.
  if (nodeName) claim.metadata.annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName };
  if (retentionOf(set).whenDeleted === 'Delete') {
    claim.metadata.ownerReferences = [controllerReference(statefulSets, set)];
  }
  return claim;
}

/**
 * What has to be done to the claims of an ordinal: those that are missing (if `create`), those with wrong owners.
 * @param place the ordinal, with its pod if there is one.
 */
export function claimWork(
  set: Stored<StatefulSet>,
  claims: Claims,
  place: Place & { pod?: Stored<Pod> | undefined },
  create: boolean,
): ClaimWork {
  const work: ClaimWork = { create: [], update: [], conflicting: [] };
  const { claimNames, ordinal, pod } = place;
  for (const [index, template] of claimTemplates(set).entries()) {
    const name = claimNames[index] ?? '';
    const claim = claims.get(name);
    if (!claim) {
      if (create) work.create.push(newClaim(set, template, name, pod?.spec.nodeName));
      continue;
    }
    const corrected = withCorrectOwners(set, claim, ordinal, pod);
    if (!corrected) continue;
    if (hasConflictingController(set, claim, ordinal, pod)) work.conflicting.push(claim.metadata.name);
    work.update.push(corrected);
  }
  return work;
}

/** Whether the claims of a pod that runs need nothing. One that is missing is not made again before the pod is. */
export function claimsAreFine(
  set: Stored<StatefulSet>,
  claims: Claims,
  { claimNames, ordinal, pod }: Place & { pod?: Stored<Pod> | undefined },
): boolean {
  return claimNames.every((name) => {
    const claim = claims.get(name);
    return !claim || !withCorrectOwners(set, claim, ordinal, pod);
  });
}

/** The names of an ordinal's claims that somebody else controls, for the warning when its pod is created. */
export function conflictingClaims(
  set: Stored<StatefulSet>,
  claims: Claims,
  { claimNames, ordinal }: Place,
): string[] {
  return claimNames.flatMap((name) => {
    const claim = claims.get(name);
    return claim && hasConflictingController(set, claim, ordinal, undefined) ? [claim.metadata.name] : [];
  });
}

export const isEmpty = (work: ClaimWork): boolean => work.create.length === 0 && work.update.length === 0;

/** The first claim of the ordinal that is being deleted: no pod can be made on it, it has to go first. */
export function terminatingClaim(claims: Claims, { claimNames }: Place) {
  return claimNames
    .map((name) => claims.get(name))
    .find((claim) => claim !== undefined && isTerminating(claim));
}
