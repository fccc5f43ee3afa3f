// Makes the default roles and bindings, and gives those that are there what they lack, unless their annotation says
// that somebody looks after them. Follows pkg/registry/rbac/rest/storage_rbac.go and component-helpers
// auth/rbac/reconciliation.
import { isAlreadyExists, isConflict } from '../../api/errors.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
} from '../../api/generated/types.ts';
import { type KubeObject, keyOf, type Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { clusterRoleBindings } from '../../api/resources/cluster-role-bindings/definition.ts';
import { clusterRoles } from '../../api/resources/cluster-roles/definition.ts';
import { roleBindings } from '../../api/resources/role-bindings/definition.ts';
import { roles } from '../../api/resources/roles/definition.ts';
import { missingRules } from './covers.ts';
import { defaultClusterRoleBindings, defaultRoleBindings } from './default-bindings.ts';
import { AUTOUPDATE, defaultClusterRoles, defaultRoles } from './default-roles.ts';

/** The part of a client that this needs. */
export interface RbacWriter {
  list<T extends KubeObject>(resource: ResourceDefinition<T>): Promise<{ items: Stored<T>[] }>;
  create<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>>;
  update<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>>;
}

/** Idempotent; the namespaces kube-system and kube-public must be there. The client must be an administrator's. */
export async function ensureDefaultRbac(client: RbacWriter): Promise<void> {
  await Promise.all([
    ensureAll<ClusterRole>(client, clusterRoles, defaultClusterRoles(), withRules),
    ensureAll<Role>(client, roles, defaultRoles(), withRules),
    ensureAll<ClusterRoleBinding>(client, clusterRoleBindings, defaultClusterRoleBindings(), withSubjects),
    ensureAll<RoleBinding>(client, roleBindings, defaultRoleBindings(), withSubjects),
  ]);
}

/** @param completed what is to be written for an object that lacks something; undefined when it lacks nothing. */
async function ensureAll<T extends KubeObject>(
  client: RbacWriter,
  resource: ResourceDefinition<T>,
  wanted: readonly T[],
  completed: (found: Stored<T>, wanted: T) => T | undefined,
): Promise<void> {
  const { items } = await client.list(resource);
  const known = new Map(items.map((item) => [keyOf(item), item]));
  await Promise.all(
    wanted.map(async (object) => {
      const found = known.get(keyOf(object));
      try {
        if (!found) await client.create(resource, object);
        else if (found.metadata.annotations?.[AUTOUPDATE] === 'true') {
          const next = completed(found, object);
          if (next) await client.update(resource, next);
        }
      } catch (error) {
        // Somebody else has just done the same, or more.
        if (!isAlreadyExists(error) && !isConflict(error)) throw error;
      }
    }),
  );
}

function withRules<T extends KubeObject & { rules?: PolicyRule[] }>(
  found: Stored<T>,
  wanted: T,
): T | undefined {
  const labels = { ...found.metadata.labels, ...wanted.metadata.labels };
  const missing = missingRules(found.rules ?? [], wanted.rules ?? []);
  const labelled = Object.keys(labels).length === Object.keys(found.metadata.labels ?? {}).length;
  if (missing.length === 0 && labelled) return undefined;
  return { ...found, metadata: { ...found.metadata, labels }, rules: [...(found.rules ?? []), ...missing] };
}

function withSubjects<T extends KubeObject & { subjects?: RbacV1Subject[] }>(
  found: Stored<T>,
  wanted: T,
): T | undefined {
  const known = new Set((found.subjects ?? []).map(subjectKey));
  const missing = (wanted.subjects ?? []).filter((subject) => !known.has(subjectKey(subject)));
  return missing.length === 0 ? undefined : { ...found, subjects: [...(found.subjects ?? []), ...missing] };
}

const subjectKey = ({ kind, namespace, name }: RbacV1Subject): string => `${kind}/${namespace ?? ''}/${name}`;
