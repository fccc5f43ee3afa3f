// The types of persistent volume claims, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, mergedBy, pointer, quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { accessMode, volumeMode } from '../shared/types/enums.ts';

export const persistentVolumeClaimTypes = generatedTypes('io.k8s.api.core.v1', {
  ModifyVolumeStatus: {
    numbers: 'targetVolumeAttributesClassName status',
    fields: {
      status: {
        enum: enumType('PersistentVolumeClaimModifyVolumeStatus', 'Pending', 'InProgress', 'Infeasible'),
      },
    },
  },
  PersistentVolumeClaim: { numbers: 'metadata spec status' },
  PersistentVolumeClaimCondition: { numbers: 'type status lastProbeTime lastTransitionTime reason message' },
  PersistentVolumeClaimSpec: {
    numbers:
      'accessModes resources volumeName selector storageClassName volumeMode dataSource dataSourceRef volumeAttributesClassName',
    fields: {
      accessModes: { enum: accessMode },
      resources: embedded,
      storageClassName: pointer,
      volumeAttributesClassName: pointer,
      volumeMode: { presence: 'pointer', default: 'Filesystem', enum: volumeMode },
    },
  },
  PersistentVolumeClaimStatus: {
    numbers:
      'phase accessModes capacity conditions allocatedResources 7:allocatedResourceStatuses currentVolumeAttributesClassName modifyVolumeStatus',
    fields: {
      accessModes: { enum: accessMode },
      allocatedResources: quantity,
      capacity: quantity,
      conditions: mergedBy('type'),
      currentVolumeAttributesClassName: pointer,
      phase: { default: 'Pending', enum: enumType('PersistentVolumeClaimPhase', 'Pending', 'Bound', 'Lost') },
    },
  },
  VolumeResourceRequirements: {
    numbers: 'limits requests',
    fields: { limits: quantity, requests: quantity },
  },
});
