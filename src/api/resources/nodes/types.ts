// The types of nodes, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, mergedBy, pointer, quantity, written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { taintEffect } from '../shared/types/enums.ts';

export const nodeTypes = generatedTypes('io.k8s.api.core.v1', {
  AttachedVolume: { numbers: 'name devicePath' },
  ConfigMapNodeConfigSource: { numbers: 'namespace name uid resourceVersion kubeletConfigKey' },
  ContainerImage: { numbers: 'names sizeBytes' },
  DaemonEndpoint: { numbers: 'Port' },
  Node: { numbers: 'metadata spec status' },
  NodeAddress: { numbers: 'type address' },
  NodeCondition: { numbers: 'type status lastHeartbeatTime lastTransitionTime reason message' },
  NodeConfigSource: { numbers: '2:configMap' },
  NodeConfigStatus: { numbers: 'assigned active lastKnownGood error' },
  NodeDaemonEndpoints: { numbers: 'kubeletEndpoint', fields: { kubeletEndpoint: embedded } },
  NodeFeatures: { numbers: 'supplementalGroupsPolicy', fields: { supplementalGroupsPolicy: pointer } },
  NodeRuntimeHandler: { numbers: 'name features', fields: { name: written } },
  NodeRuntimeHandlerFeatures: {
    numbers: 'recursiveReadOnlyMounts userNamespaces',
    fields: { recursiveReadOnlyMounts: pointer, userNamespaces: pointer },
  },
  NodeSpec: {
    numbers: 'podCIDR externalID providerID unschedulable taints configSource podCIDRs',
    fields: { podCIDRs: { set: true, patch: 'merge' } },
  },
  NodeStatus: {
    numbers:
      'capacity allocatable phase conditions addresses daemonEndpoints nodeInfo images volumesInUse volumesAttached config runtimeHandlers features declaredFeatures',
    fields: {
      addresses: mergedBy('type'),
      allocatable: quantity,
      capacity: quantity,
      conditions: mergedBy('type'),
      daemonEndpoints: embedded,
      nodeInfo: embedded,
      phase: { enum: enumType('NodePhase', 'Pending', 'Running', 'Terminated') },
    },
    setDefaults(status) {
      if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity };
    },
  },
  NodeSwapStatus: { numbers: 'capacity', fields: { capacity: pointer } },
  NodeSystemInfo: {
    numbers:
      'machineID systemUUID bootID kernelVersion osImage containerRuntimeVersion kubeletVersion kubeProxyVersion operatingSystem architecture swap',
  },
  Taint: { numbers: 'key value effect timeAdded', fields: { effect: { enum: taintEffect } } },
});
