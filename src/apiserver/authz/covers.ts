// Whether some rules give at least what others give, for the check that nobody grants what they have not. Pure;
// follows component-helpers auth/rbac/validation/policy_comparator.go and pkg/apis/rbac/v1 (CompactString).
import type { PolicyRule } from '../../api/generated/types.ts';
import { present } from '../../base/present.ts';
import { urlCovers } from './rules.ts';

/** What `wanted` gives and `owned` does not, compact, sorted; empty when everything is covered. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing = wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)));
  return compact(missing);
}

/** One rule for each verb, group, resource, name and URL of a rule. */
function breakDown(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames?.length ? rule.resourceNames.map((name) => [name]) : [undefined];
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        for (const resourceNames of names) {
          parts.push(present({ verbs: [verb], apiGroups: [group], resources: [resource], resourceNames }));
        }
      }
    }
  }
  return parts;
}

/** Whether a rule covers a part, which holds one value of each. */
function covers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!hasAll(owner.verbs, part.verbs)) return false;
  if (part.nonResourceURLs) {
    return part.nonResourceURLs.every((path) =>
      (owner.nonResourceURLs ?? []).some((url) => urlCovers(url, path)),
    );
  }
  const names = owner.resourceNames ?? [];
  return (
    hasAll(owner.apiGroups, part.apiGroups) &&
    (part.resources ?? []).every((each) => resourceCovers(owner.resources ?? [], each)) &&
    (names.length === 0 || part.resourceNames?.every((name) => names.includes(name)) === true)
  );
}

function hasAll(owned: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return owned.includes('*') || wanted.every((value) => owned.includes(value));
}

function resourceCovers(owned: readonly string[], wanted: string): boolean {
  if (owned.includes('*') || owned.includes(wanted)) return true;
  const slash = wanted.indexOf('/');
  return slash >= 0 && owned.includes(`*${wanted.slice(slash)}`);
}

/** Joins the verbs of parts that differ in nothing else. */
function compact(parts: readonly PolicyRule[]): PolicyRule[] {
  const joined = new Map<string, PolicyRule>();
  for (const part of parts) {
    const { verbs, ...rest } = part;
    const key = JSON.stringify(rest);
    const known = joined.get(key);
    joined.set(key, known ? { ...known, verbs: [...new Set([...known.verbs, ...verbs])] } : part);
  }
  return [...joined.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts = [
    field('APIGroups', rule.apiGroups),
    field('Resources', rule.resources),
    field('NonResourceURLs', rule.nonResourceURLs),
    field('ResourceNames', rule.resourceNames),
    field('Verbs', rule.verbs),
  ];
  return `{${parts.filter((part) => part !== '').join(', ')}}`;
}

function field(name: string, values: readonly string[] | undefined): string {
  return values?.length ? `${name}:[${values.map((value) => JSON.stringify(value)).join(' ')}]` : '';
}
