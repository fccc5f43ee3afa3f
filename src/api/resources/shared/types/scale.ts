// What /scale shows of an object, whatever its kind.
import { generatedTypes } from '../../../schema/generated-types.ts';

export const scaleTypes = generatedTypes('io.k8s.api.autoscaling.v1', {
  Scale: { numbers: 'metadata spec status' },
  ScaleSpec: { numbers: 'replicas' },
  ScaleStatus: { numbers: 'replicas selector' },
});
