// The admission plug-ins that every server runs, in order.
import type { AdmissionPlugin } from './admission.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { podPriority } from './pod-priority.ts';
import { serviceAccount } from './service-account.ts';
import { serviceAllocation } from './service-allocation.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';

/** @param serviceCidr addresses for Services, as `10.96.0.0/16`. */
export function admissionPlugins(serviceCidr: string): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    serviceAccount,
    podPriority,
    defaultTolerations,
    defaultStorageClass,
    storageObjectInUseProtection,
    serviceAllocation(serviceCidr),
  ];
}
