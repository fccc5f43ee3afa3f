// The one table of everything that the API serves. A new kind is a folder in this one and a line here.
import type { ResourceDefinition } from '../resource.ts';
import { clusterRoleBindings } from './cluster-role-bindings/definition.ts';
import { clusterRoles } from './cluster-roles/definition.ts';
import { configMaps } from './config-maps/definition.ts';
import { controllerRevisions } from './controller-revisions/definition.ts';
import { csiNodes } from './csi-nodes/definition.ts';
import { customResourceDefinitions } from './custom-resource-definitions/definition.ts';
import { endpointSlices } from './endpoint-slices/definition.ts';
import { endpoints } from './endpoints/definition.ts';
import { events } from './events/definition.ts';
import { eventsV1 } from './events/events-v1.ts';
import { ingressClasses } from './ingress-classes/definition.ts';
import { ingresses } from './ingresses/definition.ts';
import { ipAddresses } from './ip-addresses/definition.ts';
import { leases } from './leases/definition.ts';
import { limitRanges } from './limit-ranges/definition.ts';
import { namespaces } from './namespaces/definition.ts';
import { networkPolicies } from './network-policies/definition.ts';
import { nodes } from './nodes/definition.ts';
import { persistentVolumeClaims } from './persistent-volume-claims/definition.ts';
import { persistentVolumes } from './persistent-volumes/definition.ts';
import { podDisruptionBudgets } from './pod-disruption-budgets/definition.ts';
import { podTemplates } from './pod-templates/definition.ts';
import { pods } from './pods/definition.ts';
import { priorityClasses } from './priority-classes/definition.ts';
import { resourceQuotas } from './resource-quotas/definition.ts';
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  tokenReviews,
} from './reviews/definition.ts';
import { roleBindings } from './role-bindings/definition.ts';
import { roles } from './roles/definition.ts';
import { runtimeClasses } from './runtime-classes/definition.ts';
import { secrets } from './secrets/definition.ts';
import { serviceAccounts } from './service-accounts/definition.ts';
import { serviceCidrs } from './service-cidrs/definition.ts';
import { services } from './services/definition.ts';
import { statefulSets } from './stateful-sets/definition.ts';
import { storageClasses } from './storage-classes/definition.ts';
import { volumeAttachments } from './volume-attachments/definition.ts';

export const allResources: readonly ResourceDefinition[] = [
  pods,
  services,
  endpoints,
  configMaps,
  secrets,
  serviceAccounts,
  events,
  namespaces,
  nodes,
  persistentVolumes,
  persistentVolumeClaims,
  statefulSets,
  controllerRevisions,
  endpointSlices,
  networkPolicies,
  ingresses,
  ingressClasses,
  serviceCidrs,
  ipAddresses,
  storageClasses,
  leases,
  podDisruptionBudgets,
  priorityClasses,
  runtimeClasses,
  eventsV1,
  limitRanges,
  resourceQuotas,
  podTemplates,
  csiNodes,
  customResourceDefinitions,
  volumeAttachments,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  tokenReviews,
  selfSubjectReviews,
  subjectAccessReviews,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
];
