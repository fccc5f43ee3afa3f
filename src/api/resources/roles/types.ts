// The types of roles, as far as they are not shared: what the client's models do not say of them.
import { generatedTypes } from '../../schema/generated-types.ts';

export const roleTypes = generatedTypes('io.k8s.api.rbac.v1', {
  Role: { numbers: 'metadata rules' },
});
