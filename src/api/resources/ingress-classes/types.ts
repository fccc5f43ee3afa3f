// The types of ingress classes, as far as they are not shared: what the client's models do not say of them.
import { pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const ingressClassTypes = generatedTypes('io.k8s.api.networking.v1', {
  IngressClass: { numbers: 'metadata spec' },
  IngressClassParametersReference: {
    numbers: 'apiGroup kind name scope namespace',
    fields: { apiGroup: pointer, namespace: pointer, scope: { presence: 'pointer', default: 'Cluster' } },
  },
  IngressClassSpec: { numbers: 'controller parameters' },
});
