// What to do about one claim: bind it to a volume, ask for one to be made, wait, or declare it lost. A pure function
// of the claim, the volumes that concern it and its class. Follows pkg/controller/volume/persistentvolume
// (syncUnboundClaim, syncBoundClaim, provisionClaimOperationExternal).

import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classNameOf,
  findMatchingVolume,
  isReservedFor,
  NO_PROVISIONER,
  offersAccessModes,
  requestedStorage,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  sameVolumeMode,
  waitsForFirstConsumer,
} from '../../api/between/volume-binding.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { amountOf } from '../../api/quantity.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';

/** The older name of the annotation, which provisioners still read. */
const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';

/** All that the decision may depend on. */
export interface ClaimObservation {
  claim: Stored<PersistentVolumeClaim>;
  /** The volume that spec.volumeName names, if it is there. */
  named: Stored<PersistentVolume> | undefined;
  /** The volumes reserved for the claim, and the unclaimed ones of its class. */
  candidates: readonly Stored<PersistentVolume>[];
  storageClass: Stored<StorageClass> | undefined;
  /** The class that claims without one get, if there is one. */
  defaultClassName: string | undefined;
  /** Pods that use the claim and are not yet on a node, in order of name. */
  waitingPods: readonly string[];
  /** The node of a pod that uses the claim and has not ended. */
  usedOn: string | undefined;
}

export interface ClaimEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export type ClaimPlan =
  /** Bind both to each other and say so in both statuses. */
  | { type: 'bind'; volume: Stored<PersistentVolume> }
  | { type: 'lose'; event: ClaimEvent }
  | { type: 'wait'; event?: ClaimEvent; annotations?: Record<string, string> }
  /** The claim gets the default class, and is looked at again. */
  | { type: 'assignClass'; className: string };

export function planClaim(observed: ClaimObservation): ClaimPlan {
  return observed.claim.metadata.annotations?.[BIND_COMPLETED] === undefined
    ? planUnbound(observed)
    : planBound(observed);
}

function planBound({ claim, named }: ClaimObservation): ClaimPlan {
  if (!claim.spec.volumeName) {
    return lost(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    );
  }
  if (!named)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const owner = named.spec.claimRef;
  if (!owner || owner.uid === claim.metadata.uid) return { type: 'bind', volume: named };
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

const lost = (reason: string, message: string): ClaimPlan => ({
  type: 'lose',
  event: { type: 'Warning', reason, message },
});

function planUnbound(observed: ClaimObservation): ClaimPlan {
  const { claim, named, candidates, storageClass } = observed;
  if (claim.spec.volumeName) return planNamed(claim, named);
  if (claim.metadata.deletionTimestamp) return { type: 'wait' };
  const delayed = waitsForFirstConsumer(storageClass);
  const volume = findMatchingVolume(claim, candidates, { reservedOnly: delayed });
  if (volume) return { type: 'bind', volume };
  if (claim.spec.storageClassName === undefined && classNameOf(claim) === '' && observed.defaultClassName) {
    return { type: 'assignClass', className: observed.defaultClassName };
  }
  if (delayed && !claim.metadata.annotations?.[SELECTED_NODE]) {
    const { usedOn, waitingPods } = observed;
    // The scheduler has placed the pod by a claim of this name that has gone since, and does not look at it again.
    return usedOn === undefined
      ? waitForConsumer(waitingPods)
      : { type: 'wait', annotations: { [SELECTED_NODE]: usedOn } };
  }
  return provision(claim, storageClass);
}

/** The user asked for one volume by name. */
function planNamed(
  claim: Stored<PersistentVolumeClaim>,
  named: Stored<PersistentVolume> | undefined,
): ClaimPlan {
  if (!named) return { type: 'wait' };
  if (!named.spec.claimRef) {
    const why = misfit(claim, named);
    if (!why) return { type: 'bind', volume: named };
    const message = `Cannot bind to requested volume "${named.metadata.name}": ${why}`;
    return { type: 'wait', event: { type: 'Warning', reason: 'VolumeMismatch', message } };
  }
  if (isReservedFor(named, claim)) return { type: 'bind', volume: named };
  const owner = `${named.spec.claimRef.namespace}/${named.spec.claimRef.name}`;
  const message = `volume "${named.metadata.name}" already bound to a different claim.`;
  return {
    type: 'wait',
    event: { type: 'Warning', reason: 'FailedBinding', message: `${message} It belongs to "${owner}"` },
  };
}

/** Why the volume that the user asked for does not suit the claim (checkVolumeSatisfyClaim upstream). */
function misfit(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`;
  const size = amountOf(volume.spec.capacity?.storage);
  if (size < requestedStorage(claim)) return 'requested PV is too small';
  if (classNameOf(volume) !== classNameOf(claim)) return 'storageClassName does not match';
  if (!sameVolumeMode(claim, volume)) return 'incompatible volumeMode';
  return offersAccessModes(volume, claim) ? undefined : 'incompatible accessMode';
}

function waitForConsumer(pods: readonly string[]): ClaimPlan {
  const [reason, message] =
    pods.length === 0
      ? ['WaitForFirstConsumer', 'waiting for first consumer to be created before binding']
      : [
          'WaitForPodScheduled',
          `waiting for ${pods.length > 1 ? 'pods' : 'pod'} ${pods.join(',')} to be scheduled`,
        ];
  return { type: 'wait', event: { type: 'Normal', reason, message } };
}

/** Nothing there fits: says who shall make a volume. */
function provision(
  claim: Stored<PersistentVolumeClaim>,
  storageClass: Stored<StorageClass> | undefined,
): ClaimPlan {
  const className = classNameOf(claim);
  if (!className) {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return { type: 'wait', event: { type: 'Normal', reason: 'FailedBinding', message } };
  }
  const failed = (message: string): ClaimPlan => ({
    type: 'wait',
    event: { type: 'Warning', reason: 'ProvisioningFailed', message },
  });
  if (!storageClass) return failed(`storageclass.storage.k8s.io "${className}" not found`);
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) return failed(`no volume plugin matched name: ${provisioner}`);
  return {
    type: 'wait',
    annotations: { [STORAGE_PROVISIONER]: provisioner, [BETA_STORAGE_PROVISIONER]: provisioner },
    event: {
      type: 'Normal',
      reason: 'ExternalProvisioning',
      message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    },
  };
}

/** The claim as it is once bound to the volume; undefined if its spec and annotations already say so. */
export function boundClaim(
  claim: Stored<PersistentVolumeClaim>,
  volume: Stored<PersistentVolume>,
): Stored<PersistentVolumeClaim> | undefined {
  const annotations: Record<string, string> = { ...claim.metadata.annotations };
  const chosenHere = claim.spec.volumeName !== volume.metadata.name;
  if (chosenHere) annotations[BOUND_BY_CONTROLLER] = 'yes';
  if (!chosenHere && annotations[BIND_COMPLETED] !== undefined) return undefined;
  annotations[BIND_COMPLETED] = 'yes';
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

/**
 * The claim with the status that the phase means; undefined if it has it. A bound claim takes over the volume's
 * modes; its capacity only at first: later it grows when the file system in it has grown.
 */
export function claimWithPhase(
  claim: Stored<PersistentVolumeClaim>,
  phase: 'Pending' | 'Bound' | 'Lost',
  volume?: Stored<PersistentVolume>,
): Stored<PersistentVolumeClaim> | undefined {
  const status = claim.status ?? {};
  const accessModes = volume?.spec.accessModes;
  const capacity =
    volume && (status.phase === 'Bound' && status.capacity ? status.capacity : volume.spec.capacity);
  const same =
    status.phase === phase &&
    sameJson(status.accessModes, accessModes) &&
    sameJson(status.capacity, capacity);
  return same ? undefined : { ...claim, status: present({ ...status, phase, accessModes, capacity }) };
}
