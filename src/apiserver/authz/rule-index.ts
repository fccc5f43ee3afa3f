// Which rules are whose: the roles and bindings of the cluster, arranged by subject. Made anew when one of them has
// changed since it was last asked, which is far rarer than a request.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
  RoleRef,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { Registry } from '../registry.ts';
import type { User } from '../request.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const PLURALS = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'] as const;

/** What one binding gives to its subjects. */
export interface Grant {
  /** `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  source: string;
  rules: readonly PolicyRule[];
  /** Why there are no rules: the role is not there. */
  missing: string | undefined;
}

type Binding = Stored<RoleBinding> | Stored<ClusterRoleBinding>;
type Caches = Record<(typeof PLURALS)[number], ResourceCache>;

export class RuleIndex {
  readonly #registry: Registry;
  #caches: Promise<Caches> | undefined;
  #version = -1;
  /** namespace (empty for the whole cluster) → subject → grants, in the order of the bindings' names. */
  #grants = new Map<string, Map<string, Grant[]>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What the user has been given in the whole cluster and in the namespace. */
  async grantsOf(user: User, namespace: string | undefined): Promise<Grant[]> {
    const caches = await this.#filled();
    const version = Math.max(...PLURALS.map((plural) => caches[plural].lastChange));
    if (version !== this.#version) {
      this.#grants = arrange(caches);
      this.#version = version;
    }
    const subjects = [userSubject(user.name), ...user.groups.map(groupSubject)];
    const found: Grant[] = [];
    for (const place of namespace ? ['', namespace] : ['']) {
      const bySubject = this.#grants.get(place);
      if (bySubject) for (const subject of subjects) found.push(...(bySubject.get(subject) ?? []));
    }
    return found;
  }

  /** The rules of a role; undefined if it is not there. @param namespace of the binding that names it. */
  async rulesOf(roleRef: RoleRef, namespace: string | undefined): Promise<readonly PolicyRule[] | undefined> {
    return roleOf(await this.#filled(), roleRef, namespace)?.rules ?? undefined;
  }

  #filled(): Promise<Caches> {
    this.#caches ??= this.#fill().catch((error: unknown) => {
      this.#caches = undefined;
      throw error;
    });
    return this.#caches;
  }

  async #fill(): Promise<Caches> {
    const [clusterroles, clusterrolebindings, roles, rolebindings] = await Promise.all([
      this.#cache('clusterroles'),
      this.#cache('clusterrolebindings'),
      this.#cache('roles'),
      this.#cache('rolebindings'),
    ]);
    return { clusterroles, clusterrolebindings, roles, rolebindings };
  }

  #cache(plural: string): Promise<ResourceCache> {
    const resource = this.#registry.resource(RBAC_GROUP, plural);
    if (!resource)
      throw new Error(`the API server does not serve ${plural}.${RBAC_GROUP}, which decide who may do what`);
    return this.#registry.cache(resource);
  }
}

function arrange(caches: Caches): Map<string, Map<string, Grant[]>> {
  const arranged = new Map<string, Map<string, Grant[]>>();
  const bindings = [...caches.clusterrolebindings.list(), ...caches.rolebindings.list()] as Binding[];
  for (const binding of bindings) {
    const namespace = binding.metadata.namespace ?? '';
    const bySubject = arranged.get(namespace) ?? new Map<string, Grant[]>();
    arranged.set(namespace, bySubject);
    for (const [subject, grant] of grantsOfBinding(caches, binding)) {
      const grants = bySubject.get(subject);
      if (grants) grants.push(grant);
      else bySubject.set(subject, [grant]);
    }
  }
  return arranged;
}

function grantsOfBinding(caches: Caches, binding: Binding): Map<string, Grant> {
  const { name, namespace } = binding.metadata;
  const { roleRef } = binding;
  const role = roleOf(caches, roleRef, namespace);
  const title = namespace ? `RoleBinding "${name}/${namespace}"` : `ClusterRoleBinding "${name}"`;
  const grants = new Map<string, Grant>();
  for (const subject of binding.subjects ?? []) {
    const key = subjectKey(subject, namespace);
    if (key === undefined || grants.has(key)) continue;
    grants.set(key, {
      source: `${title} of ${roleRef.kind} "${roleRef.name}" to ${describe(subject, namespace)}`,
      rules: role?.rules ?? [],
      missing: role ? undefined : notFoundText(roleRef),
    });
  }
  return grants;
}

function roleOf(
  caches: Caches,
  roleRef: RoleRef,
  namespace: string | undefined,
): Stored<Role> | Stored<ClusterRole> | undefined {
  const found =
    roleRef.kind === 'ClusterRole'
      ? caches.clusterroles.get(undefined, roleRef.name)
      : namespace && caches.roles.get(namespace, roleRef.name);
  // The caches hold objects of their resource.
  return (found || undefined) as Stored<Role> | Stored<ClusterRole> | undefined;
}

function notFoundText({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.${RBAC_GROUP} "${name}" not found`;
}

const userSubject = (name: string): string => `user:${name}`;
const groupSubject = (name: string): string => `group:${name}`;

function subjectKey(subject: RbacV1Subject, bindingNamespace: string | undefined): string | undefined {
  if (subject.kind === 'User') return userSubject(subject.name);
  if (subject.kind === 'Group') return groupSubject(subject.name);
  const namespace = subject.namespace || bindingNamespace;
  return subject.kind === 'ServiceAccount' && namespace
    ? userSubject(`system:serviceaccount:${namespace}:${subject.name}`)
    : undefined;
}

function describe({ kind, name, namespace }: RbacV1Subject, bindingNamespace: string | undefined): string {
  if (kind !== 'ServiceAccount') return `${kind} "${name}"`;
  return `${kind} "${name}/${namespace || (bindingNamespace ?? '')}"`;
}
