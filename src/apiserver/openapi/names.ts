// The names that types have in OpenAPI documents: the Go package that declares them, as upstream publishes it
// (`io.k8s.api.apps.v1.StatefulSet`), since clients look types up by them.

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const RAW_EXTENSION = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
export const TIME = `${META}.Time`;
export const MICRO_TIME = `${META}.MicroTime`;
export const FIELDS_V1 = `${META}.FieldsV1`;
export const PATCH = `${META}.Patch`;

/** Package → the schema types declared there. Types not listed are declared in io.k8s.api.core.v1. */
const PACKAGES: Readonly<Record<string, string>> = {
  [META]:
    'APIGroup APIGroupList APIResource APIResourceList APIVersions Condition DeleteOptions FieldSelectorRequirement GroupVersionForDiscovery LabelSelector LabelSelectorRequirement ListMeta ManagedFieldsEntry ObjectMeta OwnerReference Preconditions ServerAddressByClientCIDR ShardInfo Status StatusCause StatusDetails',
  'io.k8s.api.apps.v1':
    'ControllerRevision RollingUpdateStatefulSetStrategy StatefulSet StatefulSetCondition StatefulSetOrdinals StatefulSetPersistentVolumeClaimRetentionPolicy StatefulSetSpec StatefulSetStatus StatefulSetUpdateStrategy',
  'io.k8s.api.authentication.v1':
    'BoundObjectReference SelfSubjectReview SelfSubjectReviewStatus TokenRequest TokenRequestSpec TokenRequestStatus TokenReview TokenReviewSpec TokenReviewStatus UserInfo',
  'io.k8s.api.authorization.v1':
    'FieldSelectorAttributes LabelSelectorAttributes LocalSubjectAccessReview NonResourceAttributes NonResourceRule ResourceAttributes ResourceRule SelfSubjectAccessReview SelfSubjectAccessReviewSpec SelfSubjectRulesReview SelfSubjectRulesReviewSpec SubjectAccessReview SubjectAccessReviewSpec SubjectAccessReviewStatus SubjectRulesReviewStatus',
  'io.k8s.api.autoscaling.v1': 'Scale ScaleSpec ScaleStatus',
  'io.k8s.api.coordination.v1': 'Lease LeaseSpec',
  'io.k8s.api.discovery.v1':
    'DiscoveryV1EndpointPort Endpoint EndpointConditions EndpointHints EndpointSlice ForNode ForZone',
  'io.k8s.api.events.v1': 'EventsV1Event EventsV1EventSeries',
  'io.k8s.api.node.v1': 'Overhead RuntimeClass Scheduling',
  'io.k8s.api.policy.v1': 'Eviction PodDisruptionBudget PodDisruptionBudgetSpec PodDisruptionBudgetStatus',
  'io.k8s.api.rbac.v1':
    'AggregationRule ClusterRole ClusterRoleBinding PolicyRule RbacV1Subject Role RoleBinding RoleRef',
  'io.k8s.api.scheduling.v1': 'PriorityClass',
  'io.k8s.api.storage.v1':
    'CSINode CSINodeDriver CSINodeSpec StorageClass VolumeAttachment VolumeAttachmentSource VolumeAttachmentSpec VolumeAttachmentStatus VolumeError VolumeNodeResources',
};

let packageOf: Map<string, string> | undefined;

/** The name of a schema type in the documents. */
export function definitionName(schemaName: string): string {
  packageOf ??= new Map(
    Object.entries(PACKAGES).flatMap(([name, types]) =>
      types.split(' ').map((type): [string, string] => [type, name]),
    ),
  );
  const goName = schemaName.replace(/^(?:Events|Discovery|Rbac)V1(?=[A-Z])/, '');
  return `${packageOf.get(schemaName) ?? 'io.k8s.api.core.v1'}.${goName}`;
}
