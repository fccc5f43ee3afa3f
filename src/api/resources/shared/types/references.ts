// How objects name others.
import { pointer } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';

export const referenceTypes = generatedTypes('io.k8s.api.core.v1', {
  LocalObjectReference: { numbers: 'name', atomic: true },
  ObjectReference: { numbers: 'kind namespace name uid apiVersion resourceVersion fieldPath', atomic: true },
  SecretReference: { numbers: 'name namespace', atomic: true },
  TypedLocalObjectReference: { numbers: 'apiGroup kind name', atomic: true, fields: { apiGroup: pointer } },
  TypedObjectReference: {
    numbers: 'apiGroup kind name namespace',
    fields: { apiGroup: pointer, namespace: pointer },
  },
});
