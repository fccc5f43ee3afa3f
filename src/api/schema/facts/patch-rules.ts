// How a strategic merge patch treats lists and structs: upstream's patchStrategy and patchMergeKey tags
// (kubernetes/api, types.go of each group). What is not in the table is replaced (lists) or merged (structs, maps).

export interface PatchRule {
  strategies: readonly ('merge' | 'retainKeys' | 'replace')[];
  /** The field that tells the items of the list apart; lists of scalars have none. */
  mergeKey?: string;
}

const byKey = (mergeKey: string): PatchRule => ({ strategies: ['merge'], mergeKey });
const byKeyRetainKeys = (mergeKey: string): PatchRule => ({ strategies: ['merge', 'retainKeys'], mergeKey });
const ofScalars: PatchRule = { strategies: ['merge'] };

/** Type.field → its rule. */
export const PATCH_RULES: Readonly<Record<string, PatchRule>> = {
  'CSINodeSpec.drivers': byKey('name'),
  'Container.env': byKey('name'),
  'Container.ports': byKey('containerPort'),
  'Container.volumeDevices': byKey('devicePath'),
  'Container.volumeMounts': byKey('mountPath'),
  'ContainerStatus.allocatedResourcesStatus': byKey('name'),
  'ContainerStatus.volumeMounts': byKey('mountPath'),
  'EphemeralContainer.env': byKey('name'),
  'EphemeralContainer.ports': byKey('containerPort'),
  'EphemeralContainer.volumeDevices': byKey('devicePath'),
  'EphemeralContainer.volumeMounts': byKey('mountPath'),
  'NamespaceStatus.conditions': byKey('type'),
  'NodeSpec.podCIDRs': ofScalars,
  'NodeStatus.addresses': byKey('type'),
  'NodeStatus.conditions': byKey('type'),
  'ObjectMeta.finalizers': ofScalars,
  'ObjectMeta.ownerReferences': byKey('uid'),
  'PersistentVolumeClaimStatus.conditions': byKey('type'),
  'PodDisruptionBudgetSpec.selector': { strategies: ['replace'] },
  'PodDisruptionBudgetStatus.conditions': byKey('type'),
  'PodSpec.containers': byKey('name'),
  'PodSpec.ephemeralContainers': byKey('name'),
  'PodSpec.hostAliases': byKey('ip'),
  'PodSpec.imagePullSecrets': byKey('name'),
  'PodSpec.initContainers': byKey('name'),
  'PodSpec.resourceClaims': byKeyRetainKeys('name'),
  'PodSpec.schedulingGates': byKey('name'),
  'PodSpec.topologySpreadConstraints': byKey('topologyKey'),
  'PodSpec.volumes': byKeyRetainKeys('name'),
  'PodStatus.conditions': byKey('type'),
  'PodStatus.hostIPs': byKey('ip'),
  'PodStatus.nodeAllocatableResourceClaimStatuses': byKey('resourceClaimName'),
  'PodStatus.podIPs': byKey('ip'),
  'PodStatus.resourceClaimStatuses': byKeyRetainKeys('name'),
  'ServiceAccount.secrets': byKey('name'),
  'ServiceSpec.ports': byKey('port'),
  'ServiceStatus.conditions': byKey('type'),
  'StatefulSetStatus.conditions': byKey('type'),
};
