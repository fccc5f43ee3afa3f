// What a node's agent may do: read its own node and pods and what those use, and no more; write its own node, its lease
// and the status of pods. Which pods and which node, the NodeRestriction plug-in says where the authorizer cannot know.
// Follows plugin/pkg/auth/authorizer/node/node_authorizer.go.
import { parseFieldSelector } from '../../api/selectors.ts';
import type { Registry } from '../registry.ts';
import type { User } from '../request.ts';
import type { Authorizer, ResourceAttributes } from './authorize.ts';
import { isClaimHere, isRelated, isVolumeHere, type RelatedKind } from './node-relations.ts';

export const NODES_GROUP = 'system:nodes';
export const NODE_PREFIX = 'system:node:';
export const LEASE_NAMESPACE = 'kube-node-lease';
/** How the reason begins when a node asks for what no pod of its uses, or no longer; upstream has no word for it. */
export const UNRELATED = 'no relationship found';
const READ = ['get', 'list', 'watch'];
const OWN = ['get', 'create', 'update', 'patch', 'delete'];

/** `group/plural` and verbs that every node has, whichever the object. */
const COMMON: Readonly<Record<string, readonly string[]>> = {
  '/services': READ,
  '/endpoints': ['get'],
  '/events': ['create', 'update', 'patch'],
  'events.k8s.io/events': ['create', 'update', 'patch'],
  'storage.k8s.io/csidrivers': READ,
  'node.k8s.io/runtimeclasses': READ,
  'authentication.k8s.io/tokenreviews': ['create'],
  'authorization.k8s.io/subjectaccessreviews': ['create'],
  'authorization.k8s.io/localsubjectaccessreviews': ['create'],
};

/** Why not; undefined when it may. */
type Verdict = string | undefined;
type Rule = (node: string, asked: ResourceAttributes, registry: Registry) => Verdict | Promise<Verdict>;

/** The name of the node that a user is: empty if its name does not say; undefined for everybody else. */
export function nodeNameOf({ name, groups }: User): string | undefined {
  if (!name.startsWith(NODE_PREFIX) || !groups.includes(NODES_GROUP)) return undefined;
  return name.slice(NODE_PREFIX.length);
}

/** Decides for nodes; has no opinion of anybody else. */
export function nodeAuthorizer(registry: Registry): Authorizer {
  return async (user, attributes) => {
    const node = nodeNameOf(user);
    if (node === undefined) return { allowed: false };
    if (node === '') return { allowed: false, reason: `unknown node for user ${JSON.stringify(user.name)}` };
    if ('path' in attributes) return { allowed: false };
    const { resource, subresource, verb } = attributes;
    const path = `${resource.group}/${resource.plural}`;
    const rule = Object.hasOwn(RULES, path) ? RULES[path] : undefined;
    if (!rule) return { allowed: !subresource && (COMMON[path] ?? []).includes(verb) };
    const reason = await rule(node, attributes, registry);
    return reason === undefined ? { allowed: true } : { allowed: false, reason };
  };
}

async function related(
  kind: RelatedKind,
  node: string,
  { namespace, name }: ResourceAttributes,
  registry: Registry,
): Promise<Verdict> {
  if (!name) return 'No Object name found';
  if (await isRelated(registry, node, kind, namespace ?? '', name)) return undefined;
  return unrelated(node);
}

const unrelated = (node: string): string => `${UNRELATED} between node '${node}' and this object`;

/** Single objects, by get. */
function getting(kind: RelatedKind): Rule {
  return (node, asked, registry) => {
    if (asked.verb !== 'get') return 'can only get individual resources of this type';
    if (asked.subresource) return 'cannot get subresource';
    return related(kind, node, asked, registry);
  };
}

/** Single objects, by get, or by a list or a watch of one. */
function reading(kind: RelatedKind): Rule {
  return (node, asked, registry) => {
    if (!READ.includes(asked.verb)) return 'can only read resources of this type';
    if (asked.subresource) return 'cannot read subresource';
    if (!asked.namespace) return 'can only read namespaced object of this type';
    return related(kind, node, asked, registry);
  };
}

/** @param kind as the refusal names it. */
function named(kind: string, node: string, { verb, name }: ResourceAttributes): Verdict {
  if (!OWN.includes(verb)) return `can only get, create, update, patch, or delete a ${kind}`;
  // A new object's name is not known yet: the NodeRestriction plug-in looks at it.
  return verb === 'create' || name === node
    ? undefined
    : `can only access ${kind} with the same name as the requesting node`;
}

const RULES: Readonly<Record<string, Rule>> = {
  '/secrets': reading('secrets'),
  '/configmaps': reading('configmaps'),
  // Who keeps the bytes lets the volume go when they are gone.
  '/persistentvolumes': async (node, asked, registry) => {
    const { verb, subresource, name = '' } = asked;
    if (verb !== 'patch' || subresource) return getting('persistentvolumes')(node, asked, registry);
    return (await isVolumeHere(registry, node, name)) ? undefined : unrelated(node);
  },
  'storage.k8s.io/volumeattachments': getting('volumeattachments'),
  '/persistentvolumeclaims': async (node, asked, registry) => {
    const { verb, subresource, namespace = '', name = '' } = asked;
    const isStatus = subresource === 'status';
    if (isStatus && verb !== 'update' && verb !== 'patch') return 'can only get/update/patch this type';
    const why = isStatus
      ? await related('persistentvolumeclaims', node, asked, registry)
      : await getting('persistentvolumeclaims')(node, asked, registry);
    const mayBeHere = isStatus || (verb === 'get' && !subresource);
    return why && mayBeHere && (await isClaimHere(registry, node, namespace, name)) ? undefined : why;
  },
  '/serviceaccounts': (node, asked, registry) => {
    if (asked.verb === 'get') return getting('serviceaccounts')(node, asked, registry);
    if (asked.verb !== 'create' || !asked.name) {
      return 'can only create tokens for individual service accounts';
    }
    if (asked.subresource !== 'token') return 'can only create token subresource of serviceaccount';
    return related('serviceaccounts', node, asked, registry);
  },
  'coordination.k8s.io/leases': (node, asked) => {
    if (OWN.includes(asked.verb) && asked.namespace !== LEASE_NAMESPACE) {
      return `can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`;
    }
    return named('node lease', node, asked);
  },
  'storage.k8s.io/csinodes': (node, asked) =>
    asked.subresource ? 'cannot authorize CSINode subresources' : named('CSINode', node, asked),
  '/nodes': (node, { verb, subresource, name }) => {
    if (subresource) return subresource === 'status' && ['update', 'patch'].includes(verb) ? undefined : '';
    if (['create', 'update', 'patch'].includes(verb) || (READ.includes(verb) && name === node))
      return undefined;
    if (!READ.includes(verb)) return '';
    return name
      ? `node '${node}' cannot read '${name}', only its own Node object`
      : `node '${node}' cannot read all nodes, only its own Node object`;
  },
  '/pods': (node, asked, registry) => {
    const { verb, subresource, name } = asked;
    if (subresource === 'status') return ['update', 'patch'].includes(verb) ? undefined : '';
    if (subresource) return subresource === 'eviction' && verb === 'create' ? undefined : '';
    if (verb === 'create' || verb === 'delete') return undefined;
    if (!READ.includes(verb)) return '';
    if (verb !== 'get' && selectsNode(asked.fieldSelector, node)) return undefined;
    if (verb === 'get' || name) return related('pods', node, asked, registry);
    return 'can only list/watch pods with spec.nodeName field selector';
  },
};

function selectsNode(fieldSelector: string | undefined, node: string): boolean {
  if (!fieldSelector) return false;
  try {
    return parseFieldSelector(fieldSelector).some(
      ({ path, operator, value }) => path === 'spec.nodeName' && operator === '=' && value === node,
    );
  } catch {
    // The list itself will say what is wrong with it.
    return false;
  }
}
