// The types of pods, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, mergedBy, pointer, quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { signal } from '../shared/types/enums.ts';
import { setPodDefaults } from './defaults.ts';

export const podTypes = generatedTypes('io.k8s.api.core.v1', {
  Binding: { numbers: 'metadata target', fields: { target: embedded } },
  ContainerExtendedResourceRequest: { numbers: 'containerName resourceName requestName' },
  ContainerState: { numbers: 'waiting running terminated' },
  ContainerStateRunning: { numbers: 'startedAt' },
  ContainerStateTerminated: { numbers: 'exitCode signal reason message startedAt finishedAt containerID' },
  ContainerStateWaiting: { numbers: 'reason message' },
  ContainerStatus: {
    numbers:
      'name state lastState ready restartCount image imageID containerID started allocatedResources resources volumeMounts user allocatedResourcesStatus stopSignal',
    fields: {
      allocatedResources: quantity,
      allocatedResourcesStatus: mergedBy('name'),
      lastState: embedded,
      started: pointer,
      state: embedded,
      stopSignal: { presence: 'pointer', enum: signal },
      volumeMounts: mergedBy('mountPath'),
    },
  },
  ContainerUser: { numbers: 'linux' },
  HostIP: { numbers: 'ip' },
  ImageVolumeStatus: { numbers: 'imageRef' },
  LinuxContainerUser: { numbers: 'uid gid supplementalGroups' },
  NodeAllocatableResourceClaimStatus: {
    numbers: 'resourceClaimName containers',
    fields: { containers: { set: true } },
  },
  Pod: { numbers: 'metadata spec status', setDefaults: setPodDefaults },
  PodCondition: { numbers: 'type status lastProbeTime lastTransitionTime reason message observedGeneration' },
  PodExtendedResourceClaimStatus: { numbers: 'requestMappings resourceClaimName' },
  PodIP: { numbers: 'ip' },
  PodResourceClaimStatus: { numbers: 'name resourceClaimName', fields: { resourceClaimName: pointer } },
  PodStatus: {
    numbers:
      'phase conditions message reason hostIP podIP startTime containerStatuses qosClass initContainerStatuses nominatedNodeName podIPs ephemeralContainerStatuses resize resourceClaimStatuses hostIPs observedGeneration extendedResourceClaimStatus allocatedResources resources nodeAllocatableResourceClaimStatuses',
    fields: {
      allocatedResources: quantity,
      conditions: mergedBy('type'),
      hostIPs: { patch: 'merge', mergeKey: 'ip' },
      nodeAllocatableResourceClaimStatuses: mergedBy('resourceClaimName'),
      phase: { enum: enumType('PodPhase', 'Pending', 'Running', 'Succeeded', 'Failed', 'Unknown') },
      podIPs: mergedBy('ip'),
      qosClass: { enum: enumType('PodQOSClass', 'Guaranteed', 'Burstable', 'BestEffort') },
      resourceClaimStatuses: { listKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' },
    },
  },
  ResourceHealth: { numbers: 'resourceID health 6:message', fields: { message: pointer } },
  ResourceStatus: { numbers: 'name resources', fields: { resources: { listKeys: ['resourceID'] } } },
  VolumeMountStatus: {
    numbers: 'name mountPath readOnly recursiveReadOnly volumeStatus',
    fields: { recursiveReadOnly: pointer },
  },
  VolumeStatus: { numbers: 'image' },
});
