// The one table of everything that the API serves. A new kind is a file in this folder and a line here.
import type { ResourceDefinition } from '../resource.ts';
import { clusterRoleBindings } from './cluster-role-bindings.ts';
import { clusterRoles } from './cluster-roles.ts';
import { configMaps } from './config-maps.ts';
import { controllerRevisions } from './controller-revisions.ts';
import { csiNodes } from './csi-nodes.ts';
import { customResourceDefinitions } from './custom-resource-definitions.ts';
import { endpointSlices } from './endpoint-slices.ts';
import { endpoints } from './endpoints.ts';
import { events } from './events.ts';
import { eventsV1 } from './events-v1.ts';
import { leases } from './leases.ts';
import { limitRanges } from './limit-ranges.ts';
import { namespaces } from './namespaces.ts';
import { nodes } from './nodes.ts';
import { persistentVolumeClaims } from './persistent-volume-claims.ts';
import { persistentVolumes } from './persistent-volumes.ts';
import { podDisruptionBudgets } from './pod-disruption-budgets.ts';
import { podTemplates } from './pod-templates.ts';
import { pods } from './pods.ts';
import { priorityClasses } from './priority-classes.ts';
import { resourceQuotas } from './resource-quotas.ts';
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  tokenReviews,
} from './reviews.ts';
import { roleBindings } from './role-bindings.ts';
import { roles } from './roles.ts';
import { runtimeClasses } from './runtime-classes.ts';
import { secrets } from './secrets.ts';
import { serviceAccounts } from './service-accounts.ts';
import { services } from './services.ts';
import { statefulSets } from './stateful-sets.ts';
import { storageClasses } from './storage-classes.ts';
import { volumeAttachments } from './volume-attachments.ts';

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
