// The types of network policies, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { protocol } from '../shared/types/enums.ts';
import { setNetworkPolicyDefaults } from './defaults.ts';

export const networkPolicyTypes = generatedTypes('io.k8s.api.networking.v1', {
  IPBlock: { numbers: 'cidr except' },
  NetworkPolicy: { numbers: 'metadata spec', setDefaults: setNetworkPolicyDefaults },
  NetworkPolicyEgressRule: { numbers: 'ports to' },
  NetworkPolicyIngressRule: { numbers: 'ports from' },
  NetworkPolicyPeer: { numbers: 'podSelector namespaceSelector ipBlock' },
  NetworkPolicyPort: {
    numbers: 'protocol port endPort',
    fields: {
      endPort: pointer,
      port: pointer,
      protocol: { presence: 'pointer', default: 'TCP', enum: protocol },
    },
  },
  NetworkPolicySpec: {
    numbers: 'podSelector ingress egress policyTypes',
    fields: {
      podSelector: embedded,
      policyTypes: { enum: enumType('PolicyType', 'Ingress', 'Egress') },
    },
  },
});
