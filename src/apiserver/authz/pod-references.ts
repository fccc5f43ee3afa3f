// What a pod refers to by name: secrets, config maps, claims. Follows pkg/api/v1/pod/util.go (VisitPodSecretNames,
// VisitPodConfigmapNames).
import type { PersistentVolume, Pod, Volume } from '../../api/generated/types.ts';

type Names = Set<string>;

/** The values that name something. */
function names(...values: readonly (string | undefined)[]): Names {
  return new Set(values.flatMap((value) => value || []));
}

function containersOf({ spec }: Pod) {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
}

export function secretsOf(pod: Pod): Names {
  const { volumes = [], imagePullSecrets = [] } = pod.spec;
  return names(
    ...imagePullSecrets.map(({ name }) => name),
    ...volumes.flatMap(secretsOfVolume),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  );
}

function secretsOfVolume(volume: Volume): (string | undefined)[] {
  return [
    volume.secret?.secretName,
    ...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name),
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ];
}

export function configMapsOf(pod: Pod): Names {
  return names(
    ...(pod.spec.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ]),
  );
}

export function claimsOf(pod: Pod): Names {
  return names(
    ...(pod.spec.volumes ?? []).map(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral ? `${pod.metadata.name}-${name}` : persistentVolumeClaim?.claimName,
    ),
  );
}

/** The secrets of a volume that its node reads: `namespace/name`. */
export function secretsOfPersistentVolume({ spec }: PersistentVolume): Names {
  const namespace = spec?.claimRef?.namespace ?? '';
  const { azureFile, cephfs, cinder, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = spec ?? {};
  const references = [
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
    cephfs?.secretRef,
    cinder?.secretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    flexVolume?.secretRef,
    iscsi?.secretRef,
    rbd?.secretRef,
    scaleIO?.secretRef,
    storageos?.secretRef,
  ];
  return names(...references.map((ref) => ref?.name && `${ref.namespace || namespace}/${ref.name}`));
}
