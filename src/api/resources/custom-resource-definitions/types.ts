// The types of custom resource definitions, as far as they are not shared: what the client's models do not say of them.
import { generatedTypes } from '../../schema/generated-types.ts';

export const customResourceDefinitionTypes = generatedTypes('io.k8s.api.core.v1', {
  CustomResourceDefinition: {},
  CustomResourceDefinitionSpec: 'opaque',
  CustomResourceDefinitionStatus: 'opaque',
});
