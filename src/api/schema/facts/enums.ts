// Which strings are one of a few: upstream's enum types (+enum in kubernetes/api, types.go of each group), with the
// fields that have each. OpenAPI shows them, and decoding names the Go type in its errors; whether a value is one of
// them is for each resource's validation to say.

import { SIGNALS } from '../../signals.ts';

export interface EnumType {
  values: readonly string[];
  /** Type.field; for a list, the enum is that of its items. */
  fields: readonly string[];
}

/** The Go type's name → its values and fields. */
export const ENUMS: Readonly<Record<string, EnumType>> = {
  AddressType: {
    values: ['IPv4', 'IPv6', 'FQDN'],
    fields: ['EndpointSlice.addressType'],
  },
  AppArmorProfileType: {
    values: ['Unconfined', 'RuntimeDefault', 'Localhost'],
    fields: ['AppArmorProfile.type'],
  },
  AzureDataDiskCachingMode: {
    values: ['None', 'ReadOnly', 'ReadWrite'],
    fields: ['AzureDiskVolumeSource.cachingMode'],
  },
  AzureDataDiskKind: {
    values: ['Shared', 'Dedicated', 'Managed'],
    fields: ['AzureDiskVolumeSource.kind'],
  },
  DNSPolicy: {
    values: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    fields: ['PodSpec.dnsPolicy'],
  },
  HostPathType: {
    values: [
      '',
      'DirectoryOrCreate',
      'Directory',
      'FileOrCreate',
      'File',
      'Socket',
      'CharDevice',
      'BlockDevice',
    ],
    fields: ['HostPathVolumeSource.type'],
  },
  IPFamily: {
    values: ['IPv4', 'IPv6'],
    fields: ['ServiceSpec.ipFamilies'],
  },
  IPFamilyPolicy: {
    values: ['SingleStack', 'PreferDualStack', 'RequireDualStack'],
    fields: ['ServiceSpec.ipFamilyPolicy'],
  },
  MountPropagationMode: {
    values: ['None', 'HostToContainer', 'Bidirectional'],
    fields: ['VolumeMount.mountPropagation'],
  },
  NamespacePhase: {
    values: ['Active', 'Terminating'],
    fields: ['NamespaceStatus.phase'],
  },
  NodeInclusionPolicy: {
    values: ['Ignore', 'Honor'],
    fields: ['TopologySpreadConstraint.nodeAffinityPolicy', 'TopologySpreadConstraint.nodeTaintsPolicy'],
  },
  NodePhase: {
    values: ['Pending', 'Running', 'Terminated'],
    fields: ['NodeStatus.phase'],
  },
  NodeSelectorOperator: {
    values: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
    fields: ['NodeSelectorRequirement.operator'],
  },
  PersistentVolumeAccessMode: {
    values: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
    fields: [
      'PersistentVolumeClaimSpec.accessModes',
      'PersistentVolumeClaimStatus.accessModes',
      'PersistentVolumeSpec.accessModes',
    ],
  },
  PersistentVolumeClaimModifyVolumeStatus: {
    values: ['Pending', 'InProgress', 'Infeasible'],
    fields: ['ModifyVolumeStatus.status'],
  },
  PersistentVolumeClaimPhase: {
    values: ['Pending', 'Bound', 'Lost'],
    fields: ['PersistentVolumeClaimStatus.phase'],
  },
  PersistentVolumeMode: {
    values: ['Block', 'Filesystem'],
    fields: ['PersistentVolumeClaimSpec.volumeMode', 'PersistentVolumeSpec.volumeMode'],
  },
  PersistentVolumePhase: {
    values: ['Pending', 'Available', 'Bound', 'Released', 'Failed'],
    fields: ['PersistentVolumeStatus.phase'],
  },
  PersistentVolumeReclaimPolicy: {
    values: ['Recycle', 'Delete', 'Retain'],
    fields: ['PersistentVolumeSpec.persistentVolumeReclaimPolicy', 'StorageClass.reclaimPolicy'],
  },
  PodFSGroupChangePolicy: {
    values: ['OnRootMismatch', 'Always'],
    fields: ['PodSecurityContext.fsGroupChangePolicy'],
  },
  PodManagementPolicyType: {
    values: ['OrderedReady', 'Parallel'],
    fields: ['StatefulSetSpec.podManagementPolicy'],
  },
  PodPhase: {
    values: ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'],
    fields: ['PodStatus.phase'],
  },
  PodQOSClass: {
    values: ['Guaranteed', 'Burstable', 'BestEffort'],
    fields: ['PodStatus.qosClass'],
  },
  PreemptionPolicy: {
    values: ['PreemptLowerPriority', 'Never'],
    fields: ['PodSpec.preemptionPolicy', 'PriorityClass.preemptionPolicy'],
  },
  ProcMountType: {
    values: ['Default', 'Unmasked'],
    fields: ['SecurityContext.procMount'],
  },
  Protocol: {
    values: ['TCP', 'UDP', 'SCTP'],
    fields: [
      'ContainerPort.protocol',
      'DiscoveryV1EndpointPort.protocol',
      'EndpointPort.protocol',
      'PortStatus.protocol',
      'ServicePort.protocol',
    ],
  },
  PullPolicy: {
    values: ['Always', 'Never', 'IfNotPresent'],
    fields: [
      'Container.imagePullPolicy',
      'ImageVolumeSource.pullPolicy',
      'EphemeralContainer.imagePullPolicy',
    ],
  },
  ResourceQuotaScope: {
    values: [
      'Terminating',
      'NotTerminating',
      'BestEffort',
      'NotBestEffort',
      'PriorityClass',
      'CrossNamespacePodAffinity',
      'VolumeAttributesClass',
    ],
    fields: ['ResourceQuotaSpec.scopes', 'ScopedResourceSelectorRequirement.scopeName'],
  },
  RestartPolicy: {
    values: ['Always', 'OnFailure', 'Never'],
    fields: ['PodSpec.restartPolicy'],
  },
  ScopeSelectorOperator: {
    values: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
    fields: ['ScopedResourceSelectorRequirement.operator'],
  },
  SeccompProfileType: {
    values: ['Unconfined', 'RuntimeDefault', 'Localhost'],
    fields: ['SeccompProfile.type'],
  },
  ServiceAffinity: {
    values: ['ClientIP', 'None'],
    fields: ['ServiceSpec.sessionAffinity'],
  },
  ServiceExternalTrafficPolicy: {
    values: ['Cluster', 'Local'],
    fields: ['ServiceSpec.externalTrafficPolicy'],
  },
  ServiceInternalTrafficPolicy: {
    values: ['Cluster', 'Local'],
    fields: ['ServiceSpec.internalTrafficPolicy'],
  },
  ServiceType: {
    values: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
    fields: ['ServiceSpec.type'],
  },
  Signal: {
    values: SIGNALS,
    fields: ['ContainerStatus.stopSignal', 'Lifecycle.stopSignal'],
  },
  StatefulSetUpdateStrategyType: {
    values: ['RollingUpdate', 'OnDelete', 'Recreate'],
    fields: ['StatefulSetUpdateStrategy.type'],
  },
  SupplementalGroupsPolicy: {
    values: ['Merge', 'Strict'],
    fields: ['PodSecurityContext.supplementalGroupsPolicy'],
  },
  TaintEffect: {
    values: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    fields: ['Taint.effect', 'Toleration.effect'],
  },
  TerminationMessagePolicy: {
    values: ['File', 'FallbackToLogsOnError'],
    fields: ['Container.terminationMessagePolicy', 'EphemeralContainer.terminationMessagePolicy'],
  },
  TolerationOperator: {
    values: ['Exists', 'Equal', 'Lt', 'Gt'],
    fields: ['Toleration.operator'],
  },
  URIScheme: {
    values: ['HTTP', 'HTTPS'],
    fields: ['HTTPGetAction.scheme'],
  },
  UnhealthyPodEvictionPolicyType: {
    values: ['IfHealthyBudget', 'AlwaysAllow'],
    fields: ['PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy'],
  },
  UnsatisfiableConstraintAction: {
    values: ['DoNotSchedule', 'ScheduleAnyway'],
    fields: ['TopologySpreadConstraint.whenUnsatisfiable'],
  },
  VolumeBindingMode: {
    values: ['Immediate', 'WaitForFirstConsumer'],
    fields: ['StorageClass.volumeBindingMode'],
  },
};
