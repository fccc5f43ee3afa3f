// The types of IP addresses, as far as they are not shared: what the client's models do not say of them.
import { generatedTypes } from '../../schema/generated-types.ts';

export const ipAddressTypes = generatedTypes('io.k8s.api.networking.v1', {
  IPAddress: { numbers: 'metadata spec' },
  IPAddressSpec: { numbers: 'parentRef' },
  ParentReference: { numbers: 'group resource namespace name' },
});
