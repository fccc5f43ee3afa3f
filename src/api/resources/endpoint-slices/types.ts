// The types of endpoint slices, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { protocol } from '../shared/types/enums.ts';

export const endpointSliceTypes = generatedTypes('io.k8s.api.discovery.v1', {
  DiscoveryV1EndpointPort: {
    goName: 'EndpointPort',
    numbers: 'name protocol port appProtocol',
    atomic: true,
    fields: {
      appProtocol: pointer,
      name: { presence: 'pointer', default: '' },
      port: pointer,
      protocol: { presence: 'pointer', default: 'TCP', enum: protocol },
    },
  },
  Endpoint: {
    numbers: 'addresses conditions hostname targetRef deprecatedTopology nodeName zone hints',
    fields: {
      addresses: { set: true },
      conditions: embedded,
      hostname: pointer,
      nodeName: pointer,
      zone: pointer,
    },
  },
  EndpointConditions: {
    numbers: 'ready serving terminating',
    fields: { ready: pointer, serving: pointer, terminating: pointer },
  },
  EndpointHints: { numbers: 'forZones forNodes' },
  EndpointSlice: {
    numbers: 'metadata endpoints ports addressType',
    fields: { addressType: { enum: enumType('AddressType', 'IPv4', 'IPv6', 'FQDN') } },
  },
  ForNode: { numbers: 'name' },
  ForZone: { numbers: 'name' },
});
