// A node changes only its own Node object, its own lease and CSINode, and pods that are bound to it; and it cannot give
// itself labels or taints that would steer other people's pods to it, nor owners. Follows plugin/pkg/admission/noderestriction.
import { forbidden, notFound, type StatusError } from '../../api/errors.ts';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  TokenRequest,
  Volume,
} from '../../api/generated/types.ts';
import { semanticallyEqual } from '../../api/validation/equality.ts';
import { own } from '../../base/own.ts';
import { sameJson } from '../../base/same-json.ts';
import { LEASE_NAMESPACE, nodeNameOf } from '../authz/node.ts';
import { configMapsOf, secretsOf } from '../authz/pod-references.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest, DeletionRequest } from './admission.ts';
import { forbiddenLabels } from './node-labels.ts';

const MIRROR_POD = 'kubernetes.io/config.mirror';

/** Why the write is refused; undefined when it is not. */
type Verdict = string | undefined;
type Request = AdmissionRequest | DeletionRequest;
type Rule = (node: string, request: Request, context: AdmissionContext) => Verdict | Promise<Verdict>;

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  async admit(request, context) {
    await check(request, context);
    return request.object;
  },
  admitDeletion: check,
};

/** Throws Forbidden for what a node may not do. */
async function check(request: Request, context: AdmissionContext): Promise<void> {
  const node = nodeNameOf(request.user);
  if (node === undefined) return;
  if (node === '') {
    throw refusal(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
  }
  const rule = own(RULES, `${request.resource.group}/${request.resource.plural}`);
  const why = await rule?.(JSON.stringify(node), request, context);
  if (why !== undefined) throw refusal(request, why);
}

function refusal({ resource, key }: Request, why: string): StatusError {
  return forbidden(resource, key.name, why);
}

/** The rules get the node's name in quotes, as the messages have it. */
const RULES: Readonly<Record<string, Rule>> = {
  '/pods': admitPod,
  '/nodes': admitNode,
  '/persistentvolumeclaims': admitClaim,
  '/persistentvolumes': admitVolume,
  '/serviceaccounts': admitToken,
  'coordination.k8s.io/leases': (node, { key }) => {
    if (key.namespace !== LEASE_NAMESPACE) {
      return `can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`;
    }
    return isNamed(node, key.name)
      ? undefined
      : 'can only access node lease with the same name as the requesting node';
  },
  'storage.k8s.io/csinodes': (node, { key }) =>
    isNamed(node, key.name) ? undefined : 'can only access CSINode with the same name as the requesting node',
};

const isNamed = (node: string, name: string | undefined): boolean => node === JSON.stringify(name ?? '');

async function admitPod(node: string, request: Request, context: AdmissionContext): Promise<Verdict> {
  const { operation, subresource, object, old, key } = request;
  // The registry has decoded both by the schema of pods; an eviction has the pod as its old object.
  const before = old as Pod | undefined;
  if (subresource === 'status') {
    if (operation !== 'UPDATE') return `unexpected operation ${JSON.stringify(operation)}`;
    return admitPodStatus(node, object as Pod, before);
  }
  if (subresource === 'eviction') {
    if (isNamed(node, before?.spec.nodeName)) return undefined;
    return `node ${JSON.parse(node)} can only evict pods with spec.nodeName set to itself`;
  }
  if (subresource) {
    return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  }
  if (operation === 'CREATE') return admitMirrorPod(node, object as Pod, context);
  if (operation === 'DELETE') {
    if (!before) throw notFound(request.resource, key.name);
    return isNamed(node, before.spec.nodeName)
      ? undefined
      : `node ${node} can only delete pods with spec.nodeName set to itself`;
  }
  return `unexpected operation ${JSON.stringify(operation)}, node ${node} can only create and delete mirror pods`;
}

function admitPodStatus(node: string, pod: Pod, old: Pod | undefined): Verdict {
  if (!isNamed(node, old?.spec.nodeName)) {
    return `node ${node} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!sameJson(pod.metadata.labels ?? {}, old?.metadata.labels ?? {})) {
    return `node ${node} cannot update labels through pod status`;
  }
  if (!sameJson(pod.status?.resourceClaimStatuses ?? [], old?.status?.resourceClaimStatuses ?? [])) {
    return `node ${node} cannot update resource claim statues`;
  }
  return semanticallyEqual(pod.status?.extendedResourceClaimStatus, old?.status?.extendedResourceClaimStatus)
    ? undefined
    : `node ${node} cannot update extended resource claim status`;
}

/** A node makes no pods but the mirrors of its own static ones, which may refer to nothing. */
async function admitMirrorPod(node: string, pod: Pod, context: AdmissionContext): Promise<Verdict> {
  const { metadata, spec } = pod;
  if (metadata.annotations?.[MIRROR_POD] === undefined) {
    return `pod does not have ${JSON.stringify(MIRROR_POD)} annotation, node ${node} can only create mirror pods`;
  }
  if (!isNamed(node, spec.nodeName)) {
    return `node ${node} can only create pods with spec.nodeName set to itself`;
  }
  const wrongOwner = await admitOwner(node, pod, context);
  if (wrongOwner) return wrongOwner;
  const what = referenceOf(pod);
  return what === undefined ? undefined : `node ${node} can not create pods that reference ${what}`;
}

/** What of the API a pod refers to, in upstream's words (HasAPIObjectReference); undefined for nothing. */
function referenceOf(pod: Pod): string | undefined {
  const { serviceAccountName, resourceClaims = [], volumes = [] } = pod.spec;
  if (serviceAccountName) return 'serviceaccounts';
  if (secretsOf(pod).size > 0) return 'secrets';
  if (configMapsOf(pod).size > 0) return 'configmaps';
  if (resourceClaims.length > 0) return 'resourceclaims';
  return volumes.map(referenceOfVolume).find((what) => what !== undefined);
}

function referenceOfVolume(volume: Volume): string | undefined {
  if (volume.csi) return 'csidrivers (via CSI volumes)';
  if (volume.glusterfs) return 'endpoints (via glusterFS volumes)';
  if (volume.persistentVolumeClaim) return 'persistentvolumeclaims';
  if (volume.ephemeral) return 'persistentvolumeclaims (via ephemeral volumes)';
  const sources = volume.projected?.sources ?? [];
  if (sources.some((source) => source.serviceAccountToken)) return 'serviceaccounts (via projected volumes)';
  if (sources.some((source) => source.clusterTrustBundle)) return 'clustertrustbundles';
  return sources.some((source) => source.podCertificate) ? 'podcertificates' : undefined;
}

async function admitOwner(node: string, { metadata }: Pod, context: AdmissionContext): Promise<Verdict> {
  const only = (what: string): string =>
    `node ${node} can only create pods with ${what} owner reference set to itself`;
  const [owner, ...more] = metadata.ownerReferences ?? [];
  if (more.length > 0) return only('a single');
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || !isNamed(node, owner.name)) return only('an');
  if (!owner.controller) return only('a controller');
  if (owner.blockOwnerDeletion) return `node ${node} must not set blockOwnerDeletion on an owner reference`;
  const found = await context.find('', 'nodes', { name: owner.name });
  if (!found) throw notFound({ group: '', plural: 'nodes', kind: 'Node' }, owner.name);
  const { uid } = found.metadata;
  return owner.uid === uid ? undefined : `node ${owner.name} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function admitNode(node: string, { operation, key, object, old }: Request): Verdict {
  if (!isNamed(node, key.name)) {
    return `node ${node} is not allowed to modify node ${JSON.stringify(key.name)}`;
  }
  const next = object as Node | undefined;
  const before = old as Node | undefined;
  const labels = forbiddenLabels(next?.metadata.labels, before?.metadata.labels).join(', ');
  if (operation === 'CREATE') {
    if (next?.spec?.configSource) {
      return `node ${node} is not allowed to create pods with a non-nil configSource`;
    }
    return labels ? `node ${node} is not allowed to set the following labels: ${labels}` : undefined;
  }
  if (operation !== 'UPDATE') return undefined;
  const { configSource } = next?.spec ?? {};
  if (configSource && !semanticallyEqual(configSource, before?.spec?.configSource)) {
    return `node ${node} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!semanticallyEqual(next?.spec?.taints, before?.spec?.taints)) {
    return `node ${node} is not allowed to modify taints`;
  }
  // An owner that goes takes the node with it, whatever the node may delete itself.
  if (!semanticallyEqual(next?.metadata.ownerReferences, before?.metadata.ownerReferences)) {
    return `node ${node} is not allowed to modify ownerReferences`;
  }
  return labels ? `is not allowed to modify labels: ${labels}` : undefined;
}

/** Upstream's nodes write no volumes; ours let go of those whose bytes they have removed. Which, the authorizer knows. */
function admitVolume(node: string, { operation, object, old }: Request): Verdict {
  if (operation !== 'UPDATE') return `unexpected operation ${JSON.stringify(operation)}`;
  const others = ({ metadata, spec, status }: PersistentVolume): object => {
    const { resourceVersion: _version, managedFields: _managed, finalizers: _finalizers, ...rest } = metadata;
    return { metadata: rest, spec, status };
  };
  return semanticallyEqual(others(object as PersistentVolume), others(old as PersistentVolume))
    ? undefined
    : `node ${node} is not allowed to update fields other than metadata.finalizers`;
}

function admitClaim(node: string, { operation, subresource, object, old }: Request): Verdict {
  if (subresource !== 'status') return 'may only update PVC status';
  if (operation !== 'UPDATE') return `unexpected operation ${JSON.stringify(operation)}`;
  const others = (claim: PersistentVolumeClaim): object => {
    const { resourceVersion: _version, managedFields: _managed, ...metadata } = claim.metadata;
    const {
      capacity: _capacity,
      conditions: _conditions,
      allocatedResources: _allocated,
      allocatedResourceStatuses: _statuses,
      ...status
    } = claim.status ?? {};
    return { metadata, spec: claim.spec, status };
  };
  return semanticallyEqual(others(object as PersistentVolumeClaim), others(old as PersistentVolumeClaim))
    ? undefined
    : `node ${node} is not allowed to update fields other than status.capacity and status.conditions`;
}

/** A node's tokens are those of its pods: bound to one of them, and to that very one. */
async function admitToken(node: string, request: Request, context: AdmissionContext): Promise<Verdict> {
  const { operation, subresource, object, key } = request;
  if (operation !== 'CREATE' || subresource !== 'token') return undefined;
  const { boundObjectRef: bound, audiences = [] } = (object as TokenRequest).spec;
  if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name) {
    return 'node requested token not bound to a pod';
  }
  if (!bound.uid) return 'node requested token with a pod binding without a uid';
  const pod = await context.find('', 'pods', { namespace: key.namespace, name: bound.name });
  if (!pod) throw notFound({ group: '', plural: 'pods', kind: 'Pod' }, bound.name);
  if (bound.uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  const { nodeName, volumes = [] } = (pod as typeof pod & Pod).spec;
  if (!isNamed(node, nodeName)) return 'node requested token bound to a pod scheduled on a different node';
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  const [audience = ''] = audiences;
  return mountsToken(volumes, audience)
    ? undefined
    : `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`;
}

/** Upstream also asks the drivers of CSI volumes, which are not served, and for a right that no default role gives. */
function mountsToken(volumes: readonly Volume[], audience: string): boolean {
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  return sources.some(({ serviceAccountToken: token }) => token && (token.audience ?? '') === audience);
}
