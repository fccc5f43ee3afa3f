// What a Service is where it says nothing, as far as it depends on more than one field (pkg/apis/core/v1/defaults.go,
// SetDefaults_Service).
import type { Service } from '../../generated/types.ts';

function isExternallyAccessible({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

/** Changes the Service in place. */
export function setServiceDefaults(service: Service): void {
  const { spec, status } = service;
  const type = spec.type ?? 'ClusterIP';
  if ((spec.sessionAffinity ?? 'None') === 'None') delete spec.sessionAffinityConfig;
  else if (
    spec.sessionAffinity === 'ClientIP' &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  }
  for (const port of spec.ports ?? []) port.targetPort ||= port.port;
  if (isExternallyAccessible({ ...service, spec: { ...spec, type } }))
    spec.externalTrafficPolicy ??= 'Cluster';
  if (type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer') {
    spec.internalTrafficPolicy ??= 'Cluster';
  }
  if (type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}
