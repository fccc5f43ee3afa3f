// Nobody gives rights that they do not have: neither by writing a role nor by binding one, unless they may `escalate`
// or `bind` it. Follows pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased.
import { forbidden, notFound } from '../../api/errors.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from '../../api/generated/types.ts';
import { semanticallyEqual } from '../../api/validation/equality.ts';
import { type Authorizer, MASTERS } from '../authz/authorize.ts';
import { describeRule, missingRules } from '../authz/covers.ts';
import { rulesFor } from '../authz/rbac.ts';
import type { RuleIndex } from '../authz/rule-index.ts';
import type { User } from '../request.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
/** An aggregated role may come to hold anything: who makes one must have everything. */
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export function roleEscalation(index: RuleIndex, authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'RoleEscalation',
    async validate(request) {
      const { resource, subresource, user } = request;
      if (resource.group !== RBAC_GROUP || subresource) return;
      if (user.groups.includes(MASTERS)) return;
      const granted = grantedRules(request, index);
      if (!granted) return;
      const may = (verb: string, plural: string, namespace: string | undefined, name: string) =>
        authorize(user, {
          resource: { group: RBAC_GROUP, plural },
          verb,
          subresource: undefined,
          namespace,
          name,
        });
      const { plural, namespace, name } = granted.exempt;
      if ((await may(granted.verb, plural, namespace, name)).allowed) return;
      await confirm(request, await granted.rules(), index, user);
    },
  };
}

interface Granted {
  rules(): Promise<readonly PolicyRule[]>;
  /** Who may do this to that role need not have the rules. */
  verb: 'escalate' | 'bind';
  exempt: { plural: string; namespace: string | undefined; name: string };
}

/** What the write gives away; undefined when it gives nothing new. */
function grantedRules(
  { resource, object, old, key }: AdmissionRequest,
  index: RuleIndex,
): Granted | undefined {
  if (resource.kind === 'Role' || resource.kind === 'ClusterRole') {
    // The registry has decoded the object by the schema of its kind.
    const role = object as Role | ClusterRole;
    const before = old as Role | ClusterRole | undefined;
    const aggregation = 'aggregationRule' in role ? role.aggregationRule : undefined;
    const oldAggregation = before && 'aggregationRule' in before ? before.aggregationRule : undefined;
    const sameRules = before && semanticallyEqual(role.rules, before.rules);
    if (sameRules && semanticallyEqual(aggregation, oldAggregation)) return undefined;
    const rules = aggregation ? EVERYTHING : (role.rules ?? []);
    return {
      rules: async () => rules,
      verb: 'escalate',
      exempt: { plural: resource.plural, namespace: key.namespace, name: key.name },
    };
  }
  const { roleRef, subjects } = object as RoleBinding | ClusterRoleBinding;
  if (old && semanticallyEqual(subjects, (old as RoleBinding).subjects)) return undefined;
  const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const namespace = key.namespace;
  return {
    verb: 'bind',
    exempt: { plural, namespace, name: roleRef.name },
    async rules() {
      const rules = await index.rulesOf(roleRef, namespace);
      if (!rules) throw notFound({ group: RBAC_GROUP, plural, kind: roleRef.kind }, roleRef.name);
      return rules;
    },
  };
}

async function confirm(
  { resource, key }: AdmissionRequest,
  wanted: readonly PolicyRule[],
  index: RuleIndex,
  user: User,
): Promise<void> {
  const { rules, error } = await rulesFor(index, user, key.namespace);
  const missing = missingRules(rules, wanted).map(describeRule).sort();
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
  const tail = error ? `; resolution errors: [${error}]` : '';
  const why = `user "${user.name}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${missing.join('\n')}${tail}`;
  throw forbidden(resource, key.name, why);
}
