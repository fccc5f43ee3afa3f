// What the provisioner does about one claim: make a volume for it, refuse with a reason, or leave it alone. A pure
// function of the claim, its class and the nodes. It describes the volume; the node's volume manager makes the bytes
// when the first pod mounts it.
import { join } from 'node:path';
import { LOCAL_PROVISIONER, LOCAL_VOLUME_FINALIZER, VOLUME_DIRECTORY } from '../api/between/local-volumes.ts';
import {
  claimReference,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  VOLUME_PROTECTION,
  waitsForFirstConsumer,
} from '../api/between/volume-binding.ts';
import type { Cause } from '../api/between/waiting.ts';
import { isReady } from '../api/conditions.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { present } from '../base/present.ts';

const HOSTNAME = 'kubernetes.io/hostname';

/** All that the decision may depend on. */
export interface ProvisionObservation {
  claim: Stored<PersistentVolumeClaim>;
  storageClass: Stored<StorageClass> | undefined;
  /** The node that the scheduler selected, if it is there. */
  selectedNode: Stored<Node> | undefined;
  /** For claims that wait for no consumer: the nodes, and how many local volumes each has. */
  nodes: readonly { node: Stored<Node>; volumes: number }[];
}

export type ProvisionPlan =
  /** Not ours, not yet, or done. */
  | { type: 'nothing' }
  | { type: 'create'; volume: PersistentVolume }
  /** The event says why. `reschedule`: the scheduler is to choose another node. */
  | { type: 'refuse'; because: Cause; reschedule: boolean };

export function planProvision(observed: ProvisionObservation): ProvisionPlan {
  const { claim, storageClass } = observed;
  const asked = claim.metadata.annotations?.[STORAGE_PROVISIONER] === LOCAL_PROVISIONER;
  if (!asked || claim.spec.volumeName || claim.metadata.deletionTimestamp) return { type: 'nothing' };
  if (storageClass?.provisioner !== LOCAL_PROVISIONER) return { type: 'nothing' };
  const selected = claim.metadata.annotations?.[SELECTED_NODE];
  if (selected === undefined && waitsForFirstConsumer(storageClass)) return { type: 'nothing' };

  const refuse = (why: string, reschedule = false): ProvisionPlan => {
    const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`;
    return {
      type: 'refuse',
      because: { reason: 'ProvisioningFailed', message, passing: reschedule },
      reschedule,
    };
  };
  const unable = cannotBeMade(claim);
  if (unable) return refuse(unable);
  const node = selected === undefined ? leastUsed(observed.nodes) : observed.selectedNode;
  if (!node) {
    return selected === undefined
      ? refuse(
          `no Ready node has the annotation ${VOLUME_DIRECTORY}, which a node sets when its volume manager runs`,
        )
      : refuse(`the selected node "${selected}" is not there any more`, true);
  }
  const directory = node.metadata.annotations?.[VOLUME_DIRECTORY];
  if (!directory) {
    return refuse(
      `node "${node.metadata.name}" has no annotation ${VOLUME_DIRECTORY}, which it sets when its volume manager runs`,
    );
  }
  return { type: 'create', volume: localVolume(claim, storageClass, node, directory) };
}

/** What a local volume cannot be. All access modes are offered: every pod of a volume is on the volume's node. */
function cannotBeMade(claim: PersistentVolumeClaim): string | undefined {
  if (claim.spec.volumeMode === 'Block') {
    return `${LOCAL_PROVISIONER} makes file systems, not block devices: set volumeMode to Filesystem`;
  }
  if (claim.spec.selector) return 'claim.Spec.Selector is not supported';
  if (claim.spec.dataSource ?? claim.spec.dataSourceRef) {
    return `${LOCAL_PROVISIONER} cannot fill a volume from a data source: remove dataSource`;
  }
  if (!claim.spec.resources?.requests?.storage)
    return 'the claim asks for no storage: set resources.requests.storage';
  return undefined;
}

/** Of the nodes that keep volumes, that with the fewest; ties go to the first name. */
function leastUsed(nodes: ProvisionObservation['nodes']): Stored<Node> | undefined {
  return nodes
    .filter(({ node }) => node.metadata.annotations?.[VOLUME_DIRECTORY] && isUsable(node))
    .sort((a, b) => a.volumes - b.volumes || (a.node.metadata.name < b.node.metadata.name ? -1 : 1))[0]?.node;
}

function isUsable(node: Node): boolean {
  return isReady(node) && !node.spec.unschedulable;
}

function localVolume(
  claim: Stored<PersistentVolumeClaim>,
  storageClass: Stored<StorageClass>,
  node: Stored<Node>,
  directory: string,
): PersistentVolume {
  const name = `pvc-${claim.metadata.uid}`;
  const hostname = node.metadata.labels?.[HOSTNAME] ?? node.metadata.name;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER },
      finalizers: [VOLUME_PROTECTION, LOCAL_VOLUME_FINALIZER],
    },
    spec: present({
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '0' },
      accessModes: claim.spec.accessModes,
      volumeMode: 'Filesystem',
      local: { path: join(directory, name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }],
        },
      },
      claimRef: claimReference(claim),
      storageClassName: storageClass.metadata.name,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      mountOptions: storageClass.mountOptions,
    }),
  };
}

/** Whether a volume that we made is to go: its claim is gone, and its policy says so. */
export function isToBeDeleted(volume: PersistentVolume): boolean {
  return (
    volume.metadata.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER &&
    volume.spec.persistentVolumeReclaimPolicy === 'Delete' &&
    volume.status?.phase === 'Released' &&
    volume.metadata.deletionTimestamp === undefined
  );
}
