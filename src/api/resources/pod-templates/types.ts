// The types of pod templates, as far as they are not shared: what the client's models do not say of them.
import { embedded } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const podTemplateTypes = generatedTypes('io.k8s.api.core.v1', {
  PodTemplate: { numbers: 'metadata template', fields: { template: embedded } },
});
