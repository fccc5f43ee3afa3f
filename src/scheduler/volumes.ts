// The volumes of a pod that is to be placed: can it be placed at all yet, which nodes reach its bound volumes, and
// on which its unbound WaitForFirstConsumer claims can be satisfied, by a volume made by hand or by a provisioner.
// Follows pkg/scheduler/framework/plugins/volumebinding.

import {
  classNameOf,
  findMatchingVolume,
  isFullyBound,
  isReachableFrom,
  NO_PROVISIONER,
  SELECTED_NODE,
  UNBOUND_CLAIMS,
  waitsForFirstConsumer,
} from '../api/between/volume-binding.ts';
import { partyOf, type Waiting } from '../api/between/waiting.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/generated/types.ts';
import { type NamespacedName, nameOf, type Stored } from '../api/objects.ts';
import { claimsOf, whyNotMadeFor } from '../api/pod-state.ts';
import type { NodeState } from './cluster-state.ts';
import { type Objection, ofNodes } from './objection.ts';

/** What the scheduler may ask about storage. */
export interface StorageView {
  claim(namespace: string, name: string): Stored<PersistentVolumeClaim> | undefined;
  volume(name: string): Stored<PersistentVolume> | undefined;
  storageClass(name: string): Stored<StorageClass> | undefined;
  /** The volumes that are reserved for the claim, and the unclaimed ones of its class. */
  candidates(claim: Stored<PersistentVolumeClaim>): Stored<PersistentVolume>[];
}

/** A pod's claims, sorted by what is still to be done for them. */
export interface PodVolumes {
  /** Volumes of bound claims; undefined where the volume is not there. */
  bound: (Stored<PersistentVolume> | undefined)[];
  /** Claims that wait for a node. */
  unbound: Stored<PersistentVolumeClaim>[];
  /** Keys of the claims in ReadWriteOncePod mode. */
  exclusive: NamespacedName[];
  /** A claim is bound, but its status does not say so yet: a node would still refuse to mount it. */
  settling: boolean;
}

/** What binding the pod to one node asks of its unbound claims. */
export interface VolumeChoice {
  /** Volumes made by hand, each to be reserved for a claim. */
  reserve: { claim: Stored<PersistentVolumeClaim>; volume: Stored<PersistentVolume> }[];
  /** Claims to be provisioned on the node. */
  provision: Stored<PersistentVolumeClaim>[];
  /** Nothing is left to be started, but a bound claim's status is still on its way. */
  settling: boolean;
}

/** The pod's volumes, or for which of its claims it waits, whatever the nodes are like. */
export function podVolumes(pod: Stored<Pod>, storage: StorageView): PodVolumes | Waiting {
  const namespace = pod.metadata.namespace ?? '';
  const who = partyOf('Pod', pod);
  const until = (claim: string, tobe: Waiting['tobe'], message: string): Waiting => ({
    who,
    for: { ...who, kind: 'PersistentVolumeClaim', name: claim },
    tobe,
    because: { reason: 'Unschedulable', message, passing: false },
  });
  const result: PodVolumes = { bound: [], unbound: [], exclusive: [], settling: false };
  let unboundImmediate: string | undefined;
  for (const { claimName, ephemeral } of claimsOf(pod)) {
    const claim = storage.claim(namespace, claimName);
    const quoted = `persistentvolumeclaim "${claimName}"`;
    if (!claim) {
      const awaited = `waiting for ephemeral volume controller to create the ${quoted}`;
      return until(claimName, 'created', ephemeral ? awaited : `${quoted} not found`);
    }
    if (claim.status?.phase === 'Lost') {
      const volume = `persistentvolume "${claim.spec.volumeName ?? ''}"`;
      return until(claimName, 'Bound', `${quoted} bound to non-existent ${volume}`);
    }
    if (claim.metadata.deletionTimestamp) return until(claimName, 'gone', `${quoted} is being deleted`);
    const foreign = ephemeral ? whyNotMadeFor(pod, claim) : undefined;
    if (foreign) return until(claimName, 'gone', foreign);
    if (claim.spec.accessModes?.includes('ReadWriteOncePod'))
      result.exclusive.push(nameOf({ namespace, name: claimName }));
    if (isFullyBound(claim)) {
      result.bound.push(storage.volume(claim.spec.volumeName ?? ''));
      result.settling ||= claim.status?.phase !== 'Bound';
    } else if (claim.spec.volumeName || !waitsForFirstConsumer(storage.storageClass(classNameOf(claim)))) {
      unboundImmediate ??= claimName;
    } else result.unbound.push(claim);
  }
  return unboundImmediate === undefined ? result : until(unboundImmediate, 'Bound', UNBOUND_CLAIMS);
}

const NO_VOLUME_TO_BIND = ofNodes("didn't find available persistent volumes to bind");
const VOLUME_NOT_REACHABLE = ofNodes("didn't match PersistentVolume's node affinity");
const VOLUME_GONE = ofNodes('unavailable due to one or more pvc(s) bound to non-existent pv(s)');

/** What the claims need if the pod goes to the node, or why it cannot. */
export function chooseVolumes(
  volumes: PodVolumes,
  node: NodeState,
  storage: StorageView,
): VolumeChoice | Objection {
  const facts = { name: node.name, labels: node.labels };
  for (const volume of volumes.bound) {
    if (!volume) return VOLUME_GONE;
    if (!isReachableFrom(volume, facts)) return { ...VOLUME_NOT_REACHABLE, volume };
  }
  const choice: VolumeChoice = { reserve: [], provision: [], settling: volumes.settling };
  const excluded = new Set<string>();
  for (const claim of volumes.unbound) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.name) return NO_VOLUME_TO_BIND;
    const found =
      selected === undefined
        ? findMatchingVolume(claim, storage.candidates(claim), { node: facts, excluded })
        : undefined;
    if (found) {
      excluded.add(found.metadata.name);
      choice.reserve.push({ claim, volume: found });
      continue;
    }
    const storageClass = storage.storageClass(classNameOf(claim));
    if (!canBeProvisioned(storageClass, node)) return NO_VOLUME_TO_BIND;
    choice.provision.push(claim);
  }
  return choice;
}

function canBeProvisioned(storageClass: StorageClass | undefined, node: NodeState): boolean {
  if (!storageClass?.provisioner || storageClass.provisioner === NO_PROVISIONER) return false;
  const topologies = storageClass.allowedTopologies ?? [];
  return (
    topologies.length === 0 ||
    topologies.some((term) =>
      (term.matchLabelExpressions ?? []).every(({ key, values }) => values.includes(node.labels[key] ?? '')),
    )
  );
}
