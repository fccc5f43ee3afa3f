// Role-based access control: what roles and bindings say. Follows plugin/pkg/auth/authorizer/rbac/rbac.go.
import type { PolicyRule } from '../../api/generated/types.ts';
import type { User } from '../request.ts';
import type { Authorizer } from './authorize.ts';
import type { RuleIndex } from './rule-index.ts';
import { ruleAllows } from './rules.ts';

/** Allows what a rule of one of the user's bindings allows. */
export function rbacAuthorizer(index: RuleIndex): Authorizer {
  return async (user, attributes) => {
    const namespace = 'path' in attributes ? undefined : attributes.namespace;
    const missing: string[] = [];
    for (const grant of await index.grantsOf(user, namespace)) {
      if (grant.missing) missing.push(grant.missing);
      if (grant.rules.some((rule) => ruleAllows(rule, attributes))) {
        return { allowed: true, reason: `RBAC: allowed by ${grant.source}` };
      }
    }
    return { allowed: false, reason: missing.length > 0 ? `RBAC: ${listed(missing)}` : '' };
  };
}

/** Every rule that the user has in the namespace, and what could not be found out. */
export async function rulesFor(
  index: RuleIndex,
  user: User,
  namespace: string | undefined,
): Promise<{ rules: PolicyRule[]; error: string }> {
  const grants = await index.grantsOf(user, namespace);
  return {
    rules: grants.flatMap((grant) => grant.rules),
    error: listed(grants.flatMap(({ missing }) => (missing ? [missing] : []))),
  };
}

/** Several errors as Go prints them. */
function listed(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '');
}
