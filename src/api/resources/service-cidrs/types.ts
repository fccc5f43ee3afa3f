// The types of service CIDRs, as far as they are not shared: what the client's models do not say of them.
import { mergedBy } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const serviceCidrTypes = generatedTypes('io.k8s.api.networking.v1', {
  ServiceCIDR: { numbers: 'metadata spec status' },
  ServiceCIDRSpec: { numbers: 'cidrs' },
  ServiceCIDRStatus: { numbers: 'conditions', fields: { conditions: mergedBy('type') } },
});
