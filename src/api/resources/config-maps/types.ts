// The types of config maps, as far as they are not shared: what the client's models do not say of them.
import { pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const configMapTypes = generatedTypes('io.k8s.api.core.v1', {
  ConfigMap: { numbers: 'metadata data binaryData immutable', fields: { immutable: pointer } },
});
