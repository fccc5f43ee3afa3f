// The types of endpoints, as far as they are not shared: what the client's models do not say of them.
import { pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { protocol } from '../shared/types/enums.ts';

export const endpointsTypes = generatedTypes('io.k8s.api.core.v1', {
  EndpointAddress: { numbers: 'ip targetRef hostname nodeName', atomic: true, fields: { nodeName: pointer } },
  EndpointPort: {
    numbers: 'name port protocol appProtocol',
    atomic: true,
    fields: { appProtocol: pointer, protocol: { default: 'TCP', enum: protocol } },
  },
  EndpointSubset: { numbers: 'addresses notReadyAddresses ports' },
  Endpoints: { numbers: 'metadata subsets' },
});
