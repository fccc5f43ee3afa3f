// What binding a claim to a volume means: the annotations by which the binder, the scheduler and provisioners
// speak to each other, who is bound to whom, and which volume suits a claim. Follows
// component-helpers/storage/volume/pv_helpers.go.

import { present } from '../../base/present.ts';
import type {
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../generated/types.ts';
import { matchesNodeSelector, type NodeFacts } from '../node-selector.ts';
import { type NamespacedName, nameOf, type Stored } from '../objects.ts';
import { amountOf } from '../quantity.ts';
import { selectorOf } from '../selectors.ts';

/** On a claim: the binding has once been completed, so a volume that is missing now is lost. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** On claims and volumes: the binder chose, not the user. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** On a claim: the node for which the scheduler wants it provisioned. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** On a volume: the provisioner that made it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** On a claim: the provisioner that shall make its volume. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
/** The finalizers of claims and volumes that are in use. */
export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection';
export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection';
const BETA_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class';
/** The provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';
/** What a scheduler's condition says of claims that are to be bound before the pod is placed; it has no reason for it. */
export const UNBOUND_CLAIMS = 'pod has unbound immediate PersistentVolumeClaims';
/** The conditions of a claim that tell of a resize. */
export const RESIZE_CONDITIONS: readonly string[] = [
  'Resizing',
  'FileSystemResizePending',
  'ControllerResizeError',
  'NodeResizeError',
];

/** The name of the class that a claim or volume belongs to; empty for none. */
export function classNameOf(object: PersistentVolumeClaim | PersistentVolume): string {
  return object.metadata.annotations?.[BETA_STORAGE_CLASS] ?? object.spec.storageClassName ?? '';
}

export function waitsForFirstConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** Whether the claim is bound for good: it names its volume, and the binder has said that the binding is complete. */
export function isFullyBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec.volumeName) && claim.metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

/** Whether the volume is bound to, or reserved for, the claim. */
export function isReservedFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  return (
    reference !== undefined &&
    reference.name === claim.metadata.name &&
    reference.namespace === claim.metadata.namespace &&
    (!reference.uid || reference.uid === claim.metadata.uid)
  );
}

const NODE_KEYS = ['kubernetes.io/hostname', 'metadata.name'];

/** The nodes that a volume's required affinity names, by host name; the provisioner writes exactly one. */
export function nodesOfVolume(volume: PersistentVolume): string[] {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return terms
    .flatMap((term) => [...(term.matchExpressions ?? []), ...(term.matchFields ?? [])])
    .filter(({ key, operator }) => operator === 'In' && NODE_KEYS.includes(key))
    .flatMap(({ values }) => values ?? []);
}

/** The reference to a claim that a volume keeps. */
export function claimReference(claim: Stored<PersistentVolumeClaim>): ObjectReference {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  return present({ kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion });
}

/** The volume as it is once bound to the claim; undefined if it already is. */
export function boundVolume(
  volume: Stored<PersistentVolume>,
  claim: Stored<PersistentVolumeClaim>,
): Stored<PersistentVolume> | undefined {
  const reserved = isReservedFor(volume, claim);
  if (reserved && volume.spec.claimRef?.uid === claim.metadata.uid) return undefined;
  const annotations = reserved
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' };
  return {
    ...volume,
    metadata: present({ ...volume.metadata, annotations }),
    spec: { ...volume.spec, claimRef: claimReference(claim) },
  };
}

/** Whether pods on the node can reach the volume. */
export function isReachableFrom(volume: PersistentVolume, node: NodeFacts): boolean {
  const required = volume.spec.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

/** The storage that a claim asks for, in nano-units. */
export function requestedStorage(claim: PersistentVolumeClaim): bigint {
  return amountOf(claim.spec.resources?.requests?.storage);
}

/** The informer's index of volumes by `claimRefKeys`. */
export const VOLUMES_BY_CLAIM = 'claimRef';
/** The informer's index of volumes by `unclaimedClassKeys`. */
export const UNCLAIMED_VOLUMES_BY_CLASS = 'unclaimedClass';

/** For an informer's index of volumes: the claim that a volume is bound to or reserved for, `namespace/name`. */
export function claimRefKeys({ spec: { claimRef } }: PersistentVolume): NamespacedName[] {
  return claimRef ? [nameOf(claimRef)] : [];
}

/** For an informer's index of volumes: the class of a volume that nobody claims. Classless ones are under ''. */
export function unclaimedClassKeys(volume: PersistentVolume): string[] {
  return volume.spec.claimRef ? [] : [classNameOf(volume)];
}

export interface MatchOptions {
  /** The scheduler asks for a node; the binder does not. */
  node?: NodeFacts;
  /** Names of volumes that are taken in the same decision. */
  excluded?: ReadonlySet<string>;
  /** The binder leaves the choice to the scheduler: only volumes already reserved for the claim count. */
  reservedOnly?: boolean;
}

/**
 * The volume that suits the claim best: one reserved for it, or else the smallest that is available and fits.
 * @param candidates the volumes reserved for the claim, and the unclaimed ones of its class; others are passed over.
 */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  candidates: Iterable<Stored<PersistentVolume>>,
  options: MatchOptions = {},
): Stored<PersistentVolume> | undefined {
  const requested = requestedStorage(claim);
  const className = classNameOf(claim);
  const selects = claim.spec.selector ? selectorOf(claim.spec.selector) : undefined;
  let best: Stored<PersistentVolume> | undefined;
  let bestSize = 0n;
  for (const volume of candidates) {
    if (options.excluded?.has(volume.metadata.name)) continue;
    const reserved = isReservedFor(volume, claim);
    if (volume.spec.claimRef && !reserved) continue;
    const size = amountOf(volume.spec.capacity?.storage);
    if (size < requested || !sameVolumeMode(claim, volume) || volume.metadata.deletionTimestamp) continue;
    const reachable = options.node === undefined || isReachableFrom(volume, options.node);
    if (reserved) return reachable ? volume : undefined;
    if (options.reservedOnly || !reachable || volume.status?.phase !== 'Available') continue;
    if (selects && !selects.matches(volume.metadata.labels)) continue;
    if (classNameOf(volume) !== className || !offersAccessModes(volume, claim)) continue;
    const better = best === undefined || size < bestSize || (size === bestSize && isBefore(volume, best));
    if (better) {
      best = volume;
      bestSize = size;
    }
  }
  return best;
}

const isBefore = (a: Stored, b: Stored): boolean => a.metadata.name < b.metadata.name;

/** Whether both are block devices, or both file systems. */
export function sameVolumeMode(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem');
}

/** Whether the volume can be used in every way that the claim asks for. */
export function offersAccessModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));
}
