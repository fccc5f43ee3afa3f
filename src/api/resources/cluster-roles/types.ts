// The types of cluster roles, as far as they are not shared: what the client's models do not say of them.
import { generatedTypes } from '../../schema/generated-types.ts';

export const clusterRoleTypes = generatedTypes('io.k8s.api.rbac.v1', {
  AggregationRule: { numbers: 'clusterRoleSelectors' },
  ClusterRole: { numbers: 'metadata rules aggregationRule' },
});
