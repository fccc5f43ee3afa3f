// What one rule of a role allows. Pure; follows pkg/apis/rbac/v1/evaluation_helpers.go.
import type { PolicyRule } from '../../api/generated/types.ts';
import type { Attributes } from './authorize.ts';

const ALL = '*';

/** Whether the rule allows what is asked. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if ('path' in attributes)
    return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, attributes.path));
  const { resource, subresource, name } = attributes;
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups, resource.group) &&
    resourceMatches(rule.resources ?? [], resource.plural, subresource) &&
    (names.length === 0 || names.includes(name ?? ''))
  );
}

/** `*`, the URL itself, or one that ends in `*` and begins as the path does. */
export function urlCovers(url: string, path: string): boolean {
  return url === ALL || url === path || (url.endsWith(ALL) && path.startsWith(url.slice(0, -1)));
}

/** Whether the resources of a rule mean this one: by name, by `*`, or by a star before the subresource. */
function resourceMatches(
  resources: readonly string[],
  plural: string,
  subresource: string | undefined,
): boolean {
  const full = subresource ? `${plural}/${subresource}` : plural;
  return resources.some(
    (each) =>
      each === ALL || each === full || (subresource !== undefined && each === `${ALL}/${subresource}`),
  );
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return (values ?? []).some((value) => value === ALL || value === wanted);
}
