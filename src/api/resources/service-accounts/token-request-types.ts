// What serviceaccounts/token is asked and answers.
import { written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const tokenRequestTypes = generatedTypes('io.k8s.api.authentication.v1', {
  BoundObjectReference: { numbers: 'kind apiVersion name uid' },
  TokenRequest: { numbers: 'metadata spec status' },
  TokenRequestSpec: {
    numbers: 'audiences 3:boundObjectRef expirationSeconds',
    fields: { expirationSeconds: { presence: 'pointer', default: 3600 } },
  },
  TokenRequestStatus: { numbers: 'token expirationTimestamp', fields: { token: written } },
});
