// The types of ingresses, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { protocol } from '../shared/types/enums.ts';

export const ingressTypes = generatedTypes('io.k8s.api.networking.v1', {
  HTTPIngressPath: {
    numbers: 'path backend pathType',
    fields: {
      backend: embedded,
      pathType: {
        presence: 'pointer',
        enum: enumType('PathType', 'Exact', 'ImplementationSpecific', 'Prefix'),
      },
    },
  },
  HTTPIngressRuleValue: { numbers: 'paths' },
  Ingress: { numbers: 'metadata spec status' },
  IngressBackend: { numbers: '3:resource service' },
  IngressLoadBalancerIngress: { numbers: 'ip hostname 4:ports' },
  IngressLoadBalancerStatus: { numbers: 'ingress' },
  IngressPortStatus: {
    numbers: 'port protocol error',
    fields: { error: pointer, protocol: { enum: protocol } },
  },
  IngressRule: { numbers: 'host >(http)' },
  IngressServiceBackend: { numbers: 'name port', fields: { port: embedded } },
  IngressSpec: {
    numbers: 'defaultBackend tls rules ingressClassName',
    fields: { ingressClassName: pointer },
  },
  IngressStatus: { numbers: 'loadBalancer', fields: { loadBalancer: embedded } },
  IngressTLS: { numbers: 'hosts secretName' },
  ServiceBackendPort: { numbers: 'name number', atomic: true },
});
