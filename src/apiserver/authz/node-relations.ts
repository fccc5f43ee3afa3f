// How an object hangs together with a node: its pods, what they use, and what their volumes use. Upstream keeps a graph
// of this; here the watch cache is asked, which holds the same. Follows plugin/pkg/auth/authorizer/node/graph.go.
import { nodesOfVolume } from '../../api/between/volume-binding.ts';
import type { PersistentVolume, Pod, VolumeAttachment } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Registry } from '../registry.ts';
import { claimsOf, configMapsOf, secretsOf, secretsOfPersistentVolume } from './pod-references.ts';

const MIRROR_POD = 'kubernetes.io/config.mirror';

/** A kind of which nodes read only what is related to them. */
export type RelatedKind =
  | 'pods'
  | 'secrets'
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'serviceaccounts'
  | 'volumeattachments';

/** Whether an object is related to a node. @param namespace of the object; empty for cluster-scoped ones. */
export async function isRelated(
  registry: Registry,
  node: string,
  kind: RelatedKind,
  namespace: string,
  name: string,
): Promise<boolean> {
  if (kind === 'persistentvolumes') return ofClaimedVolume(registry, node, name);
  if (kind === 'volumeattachments') return ofAttachment(registry, node, name);
  const pods = await podsOf(registry, node, namespace);
  if (kind === 'pods') return pods.some(({ metadata }) => metadata.name === name);
  // A node must not give itself rights by a pod that it has made.
  const scheduled = pods.filter(({ metadata }) => metadata.annotations?.[MIRROR_POD] === undefined);
  switch (kind) {
    case 'configmaps':
      return scheduled.some((pod) => configMapsOf(pod).has(name));
    case 'persistentvolumeclaims':
      return scheduled.some((pod) => claimsOf(pod).has(name));
    case 'serviceaccounts':
      return scheduled.some(({ spec }) => spec.serviceAccountName === name);
    case 'secrets':
      return (
        scheduled.some((pod) => secretsOf(pod).has(name)) ||
        (await ofVolumeSecret(registry, node, `${namespace}/${name}`))
      );
  }
}

/** Whether a volume's bytes are on the node, for it to grow and to remove. */
export async function isVolumeHere(registry: Registry, node: string, name: string): Promise<boolean> {
  const resource = registry.resource('', 'persistentvolumes');
  const volume = resource && (await registry.cache(resource)).get(undefined, name);
  // The cache holds objects of its resource.
  return volume !== undefined && nodesOfVolume(volume as Stored<PersistentVolume>).includes(node);
}

/** Whether such a volume is a claim's: the node tells the claim how it went. */
export async function isClaimHere(
  registry: Registry,
  node: string,
  namespace: string,
  name: string,
): Promise<boolean> {
  return (await volumesOf(registry)).some((volume) => {
    const { claimRef } = volume.spec;
    return (
      claimRef?.name === name && claimRef.namespace === namespace && nodesOfVolume(volume).includes(node)
    );
  });
}

async function volumesOf(registry: Registry): Promise<Stored<PersistentVolume>[]> {
  const resource = registry.resource('', 'persistentvolumes');
  // The cache holds objects of its resource.
  return resource ? ([...(await registry.cache(resource)).list()] as Stored<PersistentVolume>[]) : [];
}

async function podsOf(registry: Registry, node: string, namespace: string): Promise<Stored<Pod>[]> {
  const resource = registry.resource('', 'pods');
  if (!resource || !namespace) return [];
  // The cache holds objects of its resource.
  const pods = [...(await registry.cache(resource)).list(namespace)] as Stored<Pod>[];
  return pods.filter(({ spec }) => spec.nodeName === node);
}

async function ofClaimedVolume(registry: Registry, node: string, name: string): Promise<boolean> {
  const resource = registry.resource('', 'persistentvolumes');
  const volume = resource && (await registry.find(resource, { name }));
  return volume !== undefined && isClaimed(registry, node, volume as Stored<PersistentVolume>);
}

async function isClaimed(registry: Registry, node: string, { spec }: PersistentVolume): Promise<boolean> {
  const { namespace = '', name = '' } = spec?.claimRef ?? {};
  return name !== '' && isRelated(registry, node, 'persistentvolumeclaims', namespace, name);
}

/** Whether a secret belongs to a volume that a pod of the node uses. @param key `namespace/name`. */
async function ofVolumeSecret(registry: Registry, node: string, key: string): Promise<boolean> {
  for (const volume of await volumesOf(registry)) {
    if (secretsOfPersistentVolume(volume).has(key) && (await isClaimed(registry, node, volume))) return true;
  }
  return false;
}

async function ofAttachment(registry: Registry, node: string, name: string): Promise<boolean> {
  const resource = registry.resource('storage.k8s.io', 'volumeattachments');
  const attachment = resource && ((await registry.find(resource, { name })) as VolumeAttachment | undefined);
  return attachment?.spec.nodeName === node;
}
