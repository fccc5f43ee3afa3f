// What a pod is to be, wherever it stands: in a pod itself or in a template.
import { embedded, enumType, mergedBy, pointer, quantity } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';
import { preemptionPolicy } from './enums.ts';

export const podSpecTypes = generatedTypes('io.k8s.api.core.v1', {
  HostAlias: { numbers: 'ip hostnames' },
  PodDNSConfig: { numbers: 'nameservers searches options' },
  PodDNSConfigOption: { numbers: 'name value', fields: { value: pointer } },
  PodOS: { numbers: 'name' },
  PodReadinessGate: { numbers: 'conditionType' },
  PodResourceClaim: {
    numbers: 'name 3:resourceClaimName resourceClaimTemplateName',
    fields: { resourceClaimName: pointer, resourceClaimTemplateName: pointer },
  },
  PodSchedulingGate: { numbers: 'name' },
  PodSchedulingGroup: { numbers: 'podGroupName', fields: { podGroupName: pointer } },
  PodSpec: {
    numbers:
      'volumes containers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount nodeName hostNetwork hostPID hostIPC securityContext imagePullSecrets hostname subdomain affinity schedulerName initContainers automountServiceAccountToken tolerations hostAliases priorityClassName priority dnsConfig shareProcessNamespace readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints ephemeralContainers setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride 43:schedulingGroup',
    fields: {
      activeDeadlineSeconds: pointer,
      automountServiceAccountToken: pointer,
      containers: mergedBy('name'),
      dnsPolicy: {
        default: 'ClusterFirst',
        enum: enumType('DNSPolicy', 'ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'),
      },
      enableServiceLinks: pointer,
      ephemeralContainers: mergedBy('name'),
      hostAliases: mergedBy('ip'),
      hostUsers: pointer,
      hostnameOverride: pointer,
      imagePullSecrets: mergedBy('name'),
      initContainers: mergedBy('name'),
      nodeSelector: { atomic: true },
      overhead: quantity,
      preemptionPolicy: { presence: 'pointer', enum: preemptionPolicy },
      priority: pointer,
      resourceClaims: { listKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' },
      restartPolicy: { default: 'Always', enum: enumType('RestartPolicy', 'Always', 'OnFailure', 'Never') },
      runtimeClassName: pointer,
      schedulerName: { default: 'default-scheduler' },
      schedulingGates: mergedBy('name'),
      securityContext: { default: {} },
      setHostnameAsFQDN: pointer,
      shareProcessNamespace: pointer,
      terminationGracePeriodSeconds: { presence: 'pointer', default: 30 },
      topologySpreadConstraints: mergedBy('topologyKey', 'whenUnsatisfiable'),
      volumes: { listKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' },
    },
    // The old name of serviceAccountName is kept alive beside it.
    setDefaults(spec) {
      const account = spec.serviceAccountName || spec.serviceAccount;
      if (!account) return;
      spec.serviceAccountName = account;
      spec.serviceAccount = account;
    },
  },
  PodTemplateSpec: { numbers: 'metadata spec', fields: { metadata: embedded, spec: embedded } },
});
