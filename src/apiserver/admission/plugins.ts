// The admission plug-ins that every server runs, in order.
import type { AdmissionPlugin } from './admission.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { podPriority } from './pod-priority.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { serviceAllocation } from './service-allocation.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';

/** @param serviceCidr addresses for Services, as `10.96.0.0/16`. */
export function admissionPlugins(serviceCidr: string): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    nodeRestriction,
    podPriority,
    defaultTolerations,
    defaultStorageClass,
    storageObjectInUseProtection,
    serviceAllocation(serviceCidr),
    podSecurity,
    // Last: what another refuses takes nothing of a quota.
    resourceQuota(),
  ];
}
