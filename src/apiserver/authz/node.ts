// What a node's agent may do: watch pods and nodes, write its own node, its own lease and the status of its own pods,
// and read the secrets, config maps and volumes that its pods use, and no others. Follows
// plugin/pkg/auth/authorizer/node/node_authorizer.go and the NodeRestriction admission plug-in.
import type { PersistentVolume, Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Registry } from '../registry.ts';
import type { User } from '../request.ts';
import type { Authorizer, Decision, ResourceAttributes } from './authorize.ts';

const NODES_GROUP = 'system:nodes';
const NODE_PREFIX = 'system:node:';
const LEASE_NAMESPACE = 'kube-node-lease';
const READ = ['get', 'list', 'watch'];
const WRITE_STATUS = ['get', 'update', 'patch'];
const ALLOWED: Decision = { allowed: true };
const NOT_OURS = `no relationship found between node '%' and this object`;

/** `group/plural` and verbs that every node has: what it needs to know of the cluster and to register itself. */
const COMMON: Readonly<Record<string, readonly string[]>> = {
  '/pods': READ,
  '/services': READ,
  '/nodes': [...READ, 'create'],
  '/events': ['create', 'update', 'patch'],
  'events.k8s.io/events': ['create', 'update', 'patch'],
  'storage.k8s.io/csidrivers': READ,
  'storage.k8s.io/volumeattachments': ['get'],
  'node.k8s.io/runtimeclasses': READ,
  'authentication.k8s.io/tokenreviews': ['create'],
  'authorization.k8s.io/subjectaccessreviews': ['create'],
  'authorization.k8s.io/localsubjectaccessreviews': ['create'],
};

/** The name of the node that a user is; undefined for everybody else. */
export function nodeNameOf({ name, groups }: User): string | undefined {
  return name.startsWith(NODE_PREFIX) && groups.includes(NODES_GROUP)
    ? name.slice(NODE_PREFIX.length) || undefined
    : undefined;
}

/** Decides for nodes; has no opinion of anybody else. */
export function nodeAuthorizer(registry: Registry): Authorizer {
  return async (user, attributes) => {
    const node = nodeNameOf(user);
    if (node === undefined || 'path' in attributes) return { allowed: false };
    if (isCommon(attributes) || isOwn(node, attributes)) return ALLOWED;
    if (await isOfOwnPod(registry, node, attributes)) return ALLOWED;
    return { allowed: false, reason: NOT_OURS.replace('%', node) };
  };
}

function isCommon({ resource, subresource, verb }: ResourceAttributes): boolean {
  return !subresource && (COMMON[`${resource.group}/${resource.plural}`] ?? []).includes(verb);
}

/** The node's own object, its status, its lease and its CSINode. */
function isOwn(node: string, { resource, subresource, verb, namespace, name }: ResourceAttributes): boolean {
  const own = name === node;
  switch (`${resource.group}/${resource.plural}`) {
    case '/nodes':
      return own && (!subresource || subresource === 'status') && WRITE_STATUS.includes(verb);
    case 'coordination.k8s.io/leases':
      if (namespace !== LEASE_NAMESPACE || subresource) return false;
      return verb === 'create' || (own && [...WRITE_STATUS, 'delete'].includes(verb));
    case 'storage.k8s.io/csinodes':
      if (subresource) return false;
      return verb === 'create' || (own && [...WRITE_STATUS, 'delete'].includes(verb));
    default:
      return false;
  }
}

/** What hangs on a pod that is bound to the node. */
async function isOfOwnPod(
  registry: Registry,
  node: string,
  attributes: ResourceAttributes,
): Promise<boolean> {
  const { resource, subresource, verb, namespace, name } = attributes;
  if (resource.group !== '' || !name) return false;
  const pods = (place: string | undefined): Promise<Stored<Pod>[]> => podsOf(registry, node, place);
  const read = READ.includes(verb) && !subresource;
  switch (resource.plural) {
    case 'pods':
      if (!allowedOnPod(subresource, verb)) return false;
      return (await pods(namespace)).some((pod) => pod.metadata.name === name);
    case 'secrets':
      return read && (await pods(namespace)).some((pod) => secretsOf(pod).has(name));
    case 'configmaps':
      return read && (await pods(namespace)).some((pod) => configMapsOf(pod).has(name));
    case 'persistentvolumeclaims':
      if (!read && !(subresource === 'status' && WRITE_STATUS.includes(verb))) return false;
      return (await pods(namespace)).some((pod) => claimsOf(pod).has(name));
    case 'persistentvolumes':
      return verb === 'get' && !subresource && (await usesVolume(registry, name, pods));
    case 'serviceaccounts':
      if (!(subresource === 'token' && verb === 'create') && !(verb === 'get' && !subresource)) return false;
      return (await pods(namespace)).some((pod) => pod.spec.serviceAccountName === name);
    default:
      return false;
  }
}

function allowedOnPod(subresource: string | undefined, verb: string): boolean {
  if (!subresource) return verb === 'delete';
  return subresource === 'status'
    ? WRITE_STATUS.includes(verb)
    : subresource === 'eviction' && verb === 'create';
}

async function podsOf(
  registry: Registry,
  node: string,
  namespace: string | undefined,
): Promise<Stored<Pod>[]> {
  const resource = registry.resource('', 'pods');
  if (!resource || !namespace) return [];
  // The cache holds objects of its resource.
  const pods = [...(await registry.cache(resource)).list(namespace)] as Stored<Pod>[];
  return pods.filter((pod) => pod.spec.nodeName === node);
}

async function usesVolume(
  registry: Registry,
  name: string,
  pods: (namespace: string | undefined) => Promise<Stored<Pod>[]>,
): Promise<boolean> {
  const resource = registry.resource('', 'persistentvolumes');
  const volume =
    resource && ((await registry.find(resource, { name })) as Stored<PersistentVolume> | undefined);
  const claim = volume?.spec?.claimRef;
  if (!claim?.name) return false;
  return (await pods(claim.namespace)).some((pod) => claimsOf(pod).has(claim.name ?? ''));
}

function claimsOf(pod: Pod): Set<string | undefined> {
  return new Set(
    (pod.spec.volumes ?? []).map(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral ? `${pod.metadata.name}-${name}` : persistentVolumeClaim?.claimName,
    ),
  );
}

function containersOf(pod: Pod) {
  return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
}

function secretsOf(pod: Pod): Set<string | undefined> {
  const { volumes = [], imagePullSecrets = [] } = pod.spec;
  return new Set([
    ...imagePullSecrets.map(({ name }) => name),
    ...volumes.map(({ secret }) => secret?.secretName),
    ...volumes.flatMap(({ projected }) => (projected?.sources ?? []).map(({ secret }) => secret?.name)),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  ]);
}

function configMapsOf(pod: Pod): Set<string | undefined> {
  const { volumes = [] } = pod.spec;
  return new Set([
    ...volumes.map(({ configMap }) => configMap?.name),
    ...volumes.flatMap(({ projected }) => (projected?.sources ?? []).map(({ configMap }) => configMap?.name)),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ]),
  ]);
}
