// The StorageClass that stead ships. cluster/ creates the object when it sets up a new data directory; it is the user's
// from then on.
import { LOCAL_PROVISIONER } from '../api/between/local-volumes.ts';
import { DEFAULT_CLASS } from '../api/default-class.ts';
import type { StorageClass } from '../api/generated/types.ts';

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
