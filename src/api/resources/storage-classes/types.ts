// The types of storage classes, as far as they are not shared: what the client's models do not say of them.
import { enumType, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { reclaimPolicy } from '../shared/types/enums.ts';

export const storageClassTypes = generatedTypes('io.k8s.api.storage.v1', {
  StorageClass: {
    numbers:
      'metadata provisioner parameters reclaimPolicy mountOptions allowVolumeExpansion volumeBindingMode allowedTopologies',
    fields: {
      allowVolumeExpansion: pointer,
      reclaimPolicy: { presence: 'pointer', default: 'Delete', enum: reclaimPolicy },
      volumeBindingMode: {
        presence: 'pointer',
        default: 'Immediate',
        enum: enumType('VolumeBindingMode', 'Immediate', 'WaitForFirstConsumer'),
      },
    },
  },
});
