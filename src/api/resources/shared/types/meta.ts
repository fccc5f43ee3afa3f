// The types of meta.k8s.io: what every object has, and what the API says of itself.
import { embedded, mergedBy, pointer } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';

export const metaTypes = generatedTypes('io.k8s.apimachinery.pkg.apis.meta.v1', {
  APIGroup: { fields: { preferredVersion: embedded } },
  APIGroupList: {},
  APIResource: {},
  APIResourceList: {},
  APIVersions: {},
  Condition: { numbers: 'type status observedGeneration lastTransitionTime reason message' },
  DeleteOptions: {
    numbers:
      'gracePeriodSeconds preconditions orphanDependents propagationPolicy dryRun ignoreStoreReadErrorWithClusterBreakingPotential',
    fields: {
      gracePeriodSeconds: pointer,
      ignoreStoreReadErrorWithClusterBreakingPotential: pointer,
      orphanDependents: pointer,
      propagationPolicy: pointer,
    },
  },
  FieldSelectorRequirement: { numbers: 'key operator values' },
  GroupVersionForDiscovery: {},
  LabelSelector: { numbers: 'matchLabels matchExpressions', atomic: true },
  LabelSelectorRequirement: { numbers: 'key operator values' },
  ListMeta: {
    numbers: 'selfLink resourceVersion continue remainingItemCount',
    fields: { remainingItemCount: pointer },
  },
  ManagedFieldsEntry: { numbers: 'manager operation apiVersion time 6:fieldsType fieldsV1 subresource' },
  ObjectMeta: {
    numbers:
      'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers 17:managedFields',
    fields: {
      deletionGracePeriodSeconds: pointer,
      finalizers: { set: true, patch: 'merge' },
      ownerReferences: mergedBy('uid'),
    },
  },
  OwnerReference: {
    numbers: 'kind 3:name uid apiVersion controller blockOwnerDeletion',
    atomic: true,
    fields: { blockOwnerDeletion: pointer, controller: pointer },
  },
  Preconditions: { numbers: 'uid resourceVersion', fields: { resourceVersion: pointer, uid: pointer } },
  ServerAddressByClientCIDR: {},
  ShardInfo: {},
  Status: { numbers: 'metadata status message reason details code' },
  StatusCause: { numbers: 'reason message field' },
  StatusDetails: { numbers: 'name group kind causes retryAfterSeconds uid' },
});
