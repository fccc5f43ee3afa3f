// The types of cluster role bindings, as far as they are not shared: what the client's models do not say of them.
import { embedded } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const clusterRoleBindingTypes = generatedTypes('io.k8s.api.rbac.v1', {
  ClusterRoleBinding: { numbers: 'metadata subjects roleRef', fields: { roleRef: embedded } },
});
