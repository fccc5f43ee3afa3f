// What a new claim is filled from, in both fields that say it: old clients set dataSource, new ones dataSourceRef
// (pkg/api/persistentvolumeclaim, EnforceDataSourceBackwardsCompatibility and NormalizeDataSources).
import type { PersistentVolumeClaimSpec } from '../../generated/types.ts';

/** The sources that dataSource has always known; others it has always dropped without a word. */
function isClaimOrSnapshot({ dataSource }: PersistentVolumeClaimSpec): boolean {
  const { kind, apiGroup = '' } = dataSource ?? { kind: '' };
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}

/** The spec as a new claim has it. */
export function withDataSources(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef, ...rest } = spec;
  if (dataSource && dataSourceRef) return spec;
  if (dataSource) {
    return isClaimOrSnapshot(spec) ? { ...spec, dataSourceRef: { ...dataSource } } : rest;
  }
  // One of another namespace has no place in the old field.
  if (!dataSourceRef || dataSourceRef.namespace) return spec;
  const { namespace: _, ...source } = dataSourceRef;
  return { ...spec, dataSource: source };
}
