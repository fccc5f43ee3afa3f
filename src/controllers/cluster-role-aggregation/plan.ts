// The rules of an aggregated ClusterRole: those of every role that its selectors match. A pure function; follows
// pkg/controller/clusterroleaggregation.
import type { ClusterRole, PolicyRule } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { selectorOf } from '../../api/selectors.ts';
import { semanticallyEqual } from '../../api/validation/equality.ts';

/** The rules that the role should have; undefined when it has them, or is not aggregated. */
export function planAggregation(
  role: Stored<ClusterRole>,
  all: readonly Stored<ClusterRole>[],
): PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return undefined;
  const rules: PolicyRule[] = [];
  for (const selector of selectors.map(selectorOf)) {
    const sources = all
      .filter(({ metadata }) => metadata.name !== role.metadata.name && selector.matches(metadata.labels))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const rule of sources.flatMap((source) => source.rules ?? [])) {
      if (!rules.some((known) => semanticallyEqual(known, rule))) rules.push(rule);
    }
  }
  return semanticallyEqual(rules, role.rules) ? undefined : rules;
}
