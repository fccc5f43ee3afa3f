// The admission plug-ins that every server runs, in upstream's order (pkg/kubeapiserver/options/plugins.go).
import type { AdmissionPlugin } from './admission.ts';
import { claimResize } from './claim-resize.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { nodeTaint } from './node-taint.ts';
import { podPriority } from './pod-priority.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { serviceAllocation } from './services/service-allocation.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';

/** @param serviceCidr addresses for Services, as `10.96.0.0/16` or `10.96.0.0/16,fd00::/108`. */
export function admissionPlugins(serviceCidr: string): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    nodeRestriction,
    nodeTaint,
    podSecurity,
    podPriority,
    defaultTolerations,
    defaultStorageClass,
    storageObjectInUseProtection,
    claimResize,
    runtimeClass,
    defaultIngressClass,
    podTopologyLabels,
    // Upstream's registry of Services does this, not a plug-in.
    serviceAllocation(serviceCidr),
    // Last: what another refuses takes nothing of a quota.
    resourceQuota(),
  ];
}
