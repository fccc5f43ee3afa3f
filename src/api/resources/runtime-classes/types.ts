// The types of runtime classes, as far as they are not shared: what the client's models do not say of them.
import { quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const runtimeClassTypes = generatedTypes('io.k8s.api.node.v1', {
  Overhead: { numbers: 'podFixed', fields: { podFixed: quantity } },
  RuntimeClass: { numbers: 'metadata handler overhead scheduling' },
  Scheduling: { numbers: 'nodeSelector tolerations', fields: { nodeSelector: { atomic: true } } },
});
