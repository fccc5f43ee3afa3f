// The types of services, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, mergedBy, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { protocol } from '../shared/types/enums.ts';
import { setServiceDefaults } from './defaults.ts';

export const serviceTypes = generatedTypes('io.k8s.api.core.v1', {
  ClientIPConfig: { numbers: 'timeoutSeconds', fields: { timeoutSeconds: pointer } },
  LoadBalancerIngress: { numbers: 'ip hostname ipMode ports', fields: { ipMode: pointer } },
  LoadBalancerStatus: { numbers: 'ingress' },
  PortStatus: { numbers: 'port protocol error', fields: { error: pointer, protocol: { enum: protocol } } },
  Service: { numbers: 'metadata spec status', setDefaults: setServiceDefaults },
  ServicePort: {
    numbers: 'name protocol port targetPort nodePort appProtocol',
    fields: { appProtocol: pointer, protocol: { default: 'TCP', enum: protocol } },
  },
  ServiceSpec: {
    numbers:
      'ports selector clusterIP type externalIPs 7:sessionAffinity loadBalancerIP loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig 17:ipFamilyPolicy clusterIPs ipFamilies allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution',
    fields: {
      allocateLoadBalancerNodePorts: pointer,
      externalTrafficPolicy: { enum: enumType('ServiceExternalTrafficPolicy', 'Cluster', 'Local') },
      internalTrafficPolicy: {
        presence: 'pointer',
        enum: enumType('ServiceInternalTrafficPolicy', 'Cluster', 'Local'),
      },
      ipFamilies: { enum: enumType('IPFamily', 'IPv4', 'IPv6') },
      ipFamilyPolicy: {
        presence: 'pointer',
        enum: enumType('IPFamilyPolicy', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
      },
      loadBalancerClass: pointer,
      ports: mergedBy('port', 'protocol'),
      selector: { atomic: true },
      sessionAffinity: { default: 'None', enum: enumType('ServiceAffinity', 'ClientIP', 'None') },
      trafficDistribution: pointer,
      type: {
        default: 'ClusterIP',
        enum: enumType('ServiceType', 'ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
      },
    },
  },
  ServiceStatus: {
    numbers: 'loadBalancer conditions',
    fields: { conditions: mergedBy('type'), loadBalancer: embedded },
  },
  SessionAffinityConfig: { numbers: 'clientIP' },
});
