// Who owns a claim, so that the garbage collector deletes it when the retention policy says so: the set if
// whenDeleted is Delete, the condemned pod if whenScaled is Delete. No claim is ever deleted here. Follows the claim
// ownership half of upstream's stateful_set_utils.go.
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { controllerReference } from '../ownership.ts';
import { type Place, podName } from './identity.ts';
import type { Claims } from './observation.ts';
import { indexOf } from './ordinals.ts';

export function retentionOf(set: StatefulSet): { whenDeleted: string; whenScaled: string } {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } =
    set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  return { whenDeleted, whenScaled };
}

function retainsAll(set: StatefulSet): boolean {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  return (policy?.whenDeleted ?? 'Retain') === 'Retain' && (policy?.whenScaled ?? 'Retain') === 'Retain';
}

/** The set and the pod of an ordinal, as owners: the pod may not exist, its name is known all the same. */
interface Owners {
  set: Stored<StatefulSet>;
  podName: string;
  podUid: string | undefined;
}

function namesSet({ set }: Owners, reference: OwnerReference): boolean {
  return (
    reference.apiVersion === 'apps/v1' &&
    reference.kind === 'StatefulSet' &&
    reference.name === set.metadata.name
  );
}

function namesPod({ podName: name }: Owners, reference: OwnerReference): boolean {
  return reference.apiVersion === 'v1' && reference.kind === 'Pod' && reference.name === name;
}

/** Whether the reference names the set or the pod, but an earlier one of that name. */
function isStale(owners: Owners, reference: OwnerReference): boolean {
  if (namesSet(owners, reference)) return reference.uid !== owners.set.metadata.uid;
  return namesPod(owners, reference) && reference.uid !== owners.podUid;
}

function isOurs(owners: Owners, reference: OwnerReference): boolean {
  return (
    reference.uid === owners.set.metadata.uid ||
    (owners.podUid !== undefined && reference.uid === owners.podUid)
  );
}

function ownersOf(set: Stored<StatefulSet>, ordinal: number, pod: Stored<Pod> | undefined): Owners {
  return { set, podName: podName(set, ordinal), podUid: pod?.metadata.uid };
}

function conflicts(owners: Owners, claim: PersistentVolumeClaim): boolean {
  if (retainsAll(owners.set)) return false;
  return (claim.metadata.ownerReferences ?? []).some((reference) => {
    if (isStale(owners, reference)) return true;
    return reference.controller === true && !namesSet(owners, reference) && !namesPod(owners, reference);
  });
}

/** Whether somebody else controls a claim on which the policy would act: it is left alone, with a warning. */
export function hasConflictingController(
  set: Stored<StatefulSet>,
  claim: PersistentVolumeClaim,
  ordinal: number,
  pod: Stored<Pod> | undefined,
): boolean {
  return conflicts(ownersOf(set, ordinal, pod), claim);
}

/** The references that the policy wants on an ordinal's claim. */
function wantedOwners(owners: Owners, ordinal: number, pod: Stored<Pod> | undefined): OwnerReference[] {
  const { whenDeleted, whenScaled } = retentionOf(owners.set);
  const condemned = indexOf(owners.set, ordinal) === undefined;
  if (whenScaled === 'Delete' && condemned) return pod ? [controllerReference(pods, pod)] : [];
  return whenDeleted === 'Delete' ? [controllerReference(statefulSets, owners.set)] : [];
}

/**
 * The claim with the owners that the policy wants; undefined if it has them, or if it is in a state that must not
 * be touched: owned by an earlier pod or set of the name, or controlled by somebody else.
 */
export function withCorrectOwners(
  set: Stored<StatefulSet>,
  claim: Stored<PersistentVolumeClaim>,
  ordinal: number,
  pod: Stored<Pod> | undefined,
): Stored<PersistentVolumeClaim> | undefined {
  const references = claim.metadata.ownerReferences ?? [];
  // What most claims are: nobody's, as the policy wants it.
  if (references.length === 0 && retainsAll(set)) return undefined;
  const owners = ownersOf(set, ordinal, pod);
  if (references.some((reference) => isStale(owners, reference))) return undefined;
  const ours = references.filter((reference) => isOurs(owners, reference));
  const conflicting = conflicts(owners, claim);
  const wanted = conflicting ? [] : wantedOwners(owners, ordinal, pod);
  const upToDate =
    ours.length === wanted.length &&
    wanted.every((want) => ours.some((have) => have.uid === want.uid && have.controller === true));
  if (upToDate) return undefined;
  const others = references.filter(
    (reference) => !namesSet(owners, reference) && !namesPod(owners, reference),
  );
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: [...others, ...wanted] } };
}

/**
 * The first claim of an ordinal without a pod that belongs to an earlier pod of the name: with whenScaled Delete it
 * is on its way out, and no new pod may be put on it (`PodClaimIsStale`).
 */
export function staleClaim(
  set: Stored<StatefulSet>,
  claims: Claims,
  { claimNames, ordinal }: Place,
): Stored<PersistentVolumeClaim> | undefined {
  if (retentionOf(set).whenScaled === 'Retain') return undefined;
  const owners = ownersOf(set, ordinal, undefined);
  return claimNames
    .map((name) => claims.get(name))
    .find((claim) => claim?.metadata.ownerReferences?.some((reference) => namesPod(owners, reference)));
}
