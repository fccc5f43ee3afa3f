// The types of leases, as far as they are not shared: what the client's models do not say of them.
import { pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const leaseTypes = generatedTypes('io.k8s.api.coordination.v1', {
  Lease: { numbers: 'metadata spec' },
  LeaseSpec: {
    numbers:
      'holderIdentity leaseDurationSeconds acquireTime renewTime leaseTransitions strategy preferredHolder',
    fields: {
      holderIdentity: pointer,
      leaseDurationSeconds: pointer,
      leaseTransitions: pointer,
      preferredHolder: pointer,
      strategy: pointer,
    },
  },
});
