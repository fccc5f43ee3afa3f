// The StorageClass that stead ships, and the names by which its volumes are known. cluster/ creates the object when
// it sets up a new data directory; it is the user's from then on.
import { DEFAULT_CLASS } from '../api/default-class.ts';
import type { StorageClass } from '../api/generated/types.ts';

/** The provisioner of stead's local volumes. */
export const LOCAL_PROVISIONER = 'stead.dev/local';
/** On a node: the absolute path of the directory in which it keeps local volumes. */
export const VOLUME_DIRECTORY = 'stead.dev/volume-directory';
/** On a local volume: the node has not yet removed its bytes. */
export const LOCAL_VOLUME_FINALIZER = 'stead.dev/local-volume';

/** `storage-local`: the default class, one directory or image per claim on the node that runs the pod. */
export function defaultStorageClass(): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: 'storage-local',
      annotations: { [DEFAULT_CLASS]: 'true' },
    },
    provisioner: LOCAL_PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  };
}
