// The types of service accounts, as far as they are not shared: what the client's models do not say of them.
import { mergedBy, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const serviceAccountTypes = generatedTypes('io.k8s.api.core.v1', {
  ServiceAccount: {
    numbers: 'metadata secrets imagePullSecrets automountServiceAccountToken',
    fields: { automountServiceAccountToken: pointer, secrets: mergedBy('name') },
  },
});
