// The types of csi nodes, as far as they are not shared: what the client's models do not say of them.
import { mergedBy, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const csiNodeTypes = generatedTypes('io.k8s.api.storage.v1', {
  CSINode: { numbers: 'metadata spec' },
  CSINodeDriver: { numbers: 'name nodeID topologyKeys allocatable' },
  CSINodeSpec: { numbers: 'drivers', fields: { drivers: mergedBy('name') } },
  VolumeNodeResources: { numbers: 'count', fields: { count: pointer } },
});
