// The types of controller revisions, as far as they are not shared: what the client's models do not say of them.
import { generatedTypes } from '../../schema/generated-types.ts';

export const controllerRevisionTypes = generatedTypes('io.k8s.api.apps.v1', {
  ControllerRevision: { numbers: 'metadata data revision' },
});
