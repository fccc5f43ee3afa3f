// The types of resource quotas, as far as they are not shared: what the client's models do not say of them.
import { enumType, quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

const quotaScope = enumType(
  'ResourceQuotaScope',
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
);

export const resourceQuotaTypes = generatedTypes('io.k8s.api.core.v1', {
  ResourceQuota: { numbers: 'metadata spec status' },
  ResourceQuotaSpec: {
    numbers: 'hard scopes scopeSelector',
    fields: { hard: quantity, scopes: { enum: quotaScope } },
  },
  ResourceQuotaStatus: { numbers: 'hard used', fields: { hard: quantity, used: quantity } },
  ScopeSelector: { numbers: 'matchExpressions', atomic: true },
  ScopedResourceSelectorRequirement: {
    numbers: 'scopeName operator values',
    fields: {
      operator: { enum: enumType('ScopeSelectorOperator', 'In', 'NotIn', 'Exists', 'DoesNotExist') },
      scopeName: { enum: quotaScope },
    },
  },
});
