// How the lists, maps and structs of the API are merged when several managers apply to one object: upstream's
// +listType, +listMapKey, +mapType and +structType markers (kubernetes/api, types.go of each group). A list that is
// in neither table is atomic: it is owned and replaced as a whole.

/** Lists whose items are told apart by keys (`x-kubernetes-list-type: map`): field → the keys. */
export const MAP_LISTS: Readonly<Record<string, readonly string[]>> = {
  'CSINodeSpec.drivers': ['name'],
  'Container.env': ['name'],
  'Container.ports': ['containerPort', 'protocol'],
  'Container.volumeDevices': ['devicePath'],
  'Container.volumeMounts': ['mountPath'],
  'ContainerStatus.allocatedResourcesStatus': ['name'],
  'ContainerStatus.volumeMounts': ['mountPath'],
  'EphemeralContainer.env': ['name'],
  'EphemeralContainer.ports': ['containerPort', 'protocol'],
  'EphemeralContainer.volumeDevices': ['devicePath'],
  'EphemeralContainer.volumeMounts': ['mountPath'],
  'NamespaceStatus.conditions': ['type'],
  'NodeStatus.addresses': ['type'],
  'NodeStatus.conditions': ['type'],
  'ObjectMeta.ownerReferences': ['uid'],
  'PersistentVolumeClaimStatus.conditions': ['type'],
  'PodDisruptionBudgetStatus.conditions': ['type'],
  'PodSpec.containers': ['name'],
  'PodSpec.ephemeralContainers': ['name'],
  'PodSpec.hostAliases': ['ip'],
  'PodSpec.imagePullSecrets': ['name'],
  'PodSpec.initContainers': ['name'],
  'PodSpec.resourceClaims': ['name'],
  'PodSpec.schedulingGates': ['name'],
  'PodSpec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'PodSpec.volumes': ['name'],
  'PodStatus.conditions': ['type'],
  'PodStatus.nodeAllocatableResourceClaimStatuses': ['resourceClaimName'],
  'PodStatus.podIPs': ['ip'],
  'PodStatus.resourceClaimStatuses': ['name'],
  'ResourceRequirements.claims': ['name'],
  'ResourceStatus.resources': ['resourceID'],
  'ServiceAccount.secrets': ['name'],
  'ServiceSpec.ports': ['port', 'protocol'],
  'ServiceStatus.conditions': ['type'],
  'StatefulSetStatus.conditions': ['type'],
};

/** Lists of scalars without order or duplicates (`x-kubernetes-list-type: set`). */
export const SET_LISTS: ReadonlySet<string> = new Set([
  'ContainerRestartRuleOnExitCodes.values',
  'Endpoint.addresses',
  'NodeAllocatableResourceClaimStatus.containers',
  'NodeSpec.podCIDRs',
  'ObjectMeta.finalizers',
]);

/** Types, and fields that hold a map, which are owned and replaced as a whole (`x-kubernetes-map-type: atomic`). */
export const ATOMIC: ReadonlySet<string> = new Set([
  'ConfigMapKeySelector',
  'DiscoveryV1EndpointPort',
  'EndpointAddress',
  'EndpointPort',
  'FileKeySelector',
  'LabelSelector',
  'LocalObjectReference',
  'NodeSelector',
  'NodeSelectorTerm',
  'ObjectFieldSelector',
  'ObjectReference',
  'OwnerReference',
  'PodSpec.nodeSelector',
  'RbacV1Subject',
  'ResourceFieldSelector',
  'RoleRef',
  'Scheduling.nodeSelector',
  'ScopeSelector',
  'SecretKeySelector',
  'SecretReference',
  'ServiceSpec.selector',
  'TopologySelectorTerm',
  'TypedLocalObjectReference',
]);
