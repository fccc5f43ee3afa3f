// The types of namespaces, as far as they are not shared: what the client's models do not say of them.
import { enumType, mergedBy } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const namespaceTypes = generatedTypes('io.k8s.api.core.v1', {
  Namespace: {
    numbers: 'metadata spec status',
    setDefaults({ metadata }) {
      if (metadata.name)
        metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
    },
  },
  NamespaceCondition: { numbers: 'type status 4:lastTransitionTime reason message' },
  NamespaceSpec: { numbers: 'finalizers' },
  NamespaceStatus: {
    numbers: 'phase conditions',
    fields: {
      conditions: mergedBy('type'),
      phase: { default: 'Active', enum: enumType('NamespacePhase', 'Active', 'Terminating') },
    },
  },
});
