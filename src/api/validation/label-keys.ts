// Rules of the keys whose values a pod takes over from its own labels into a selector: matchLabelKeys and
// mismatchLabelKeys (pkg/apis/core/validation, validateMatchLabelKeysAndMismatchLabelKeys and
// validateMatchLabelKeysInTopologySpread).
import { type FieldError, forbiddenField, invalidValue } from '../errors.ts';
import type { LabelSelector, PodAffinityTerm, TopologySpreadConstraint } from '../generated/types.ts';
import { labelName } from './field-rules.ts';

const IN_BOTH = 'exists in both matchLabelKeys and labelSelector';

function validateKeys(
  keys: readonly string[],
  selector: LabelSelector | undefined,
  path: string,
): FieldError[] {
  if (keys.length === 0) return [];
  if (!selector) return [forbiddenField(path, 'must not be specified when labelSelector is not set')];
  return keys.flatMap((key, index) => labelName(key, `${path}[${index}]`));
}

/** Of a term of pod affinity or anti-affinity. */
export function validateTermLabelKeys(term: PodAffinityTerm, path: string): FieldError[] {
  const { matchLabelKeys: same = [], mismatchLabelKeys: other = [], labelSelector: selector } = term;
  if (same.length === 0 && other.length === 0) return [];
  const errors = [
    ...validateKeys(same, selector, `${path}.matchLabelKeys`),
    ...validateKeys(other, selector, `${path}.mismatchLabelKeys`),
  ];
  const asked = new Set(Object.keys(selector?.matchLabels ?? {}));
  const places = new Map(same.map((key, index) => [key, index] as const).reverse());
  for (const { key } of selector?.matchExpressions ?? []) {
    // The server adds one expression for each key; a second one is the client's.
    const index = places.get(key);
    if (index !== undefined && asked.has(key)) errors.push(invalidValue(`${path}[${index}]`, key, IN_BOTH));
    asked.add(key);
  }
  const others = new Set(other);
  for (const [index, key] of same.entries()) {
    if (!others.has(key)) continue;
    const reason = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(invalidValue(`${path}.matchLabelKeys[${index}]`, key, reason));
  }
  return errors;
}

export function validateSpreadLabelKeys(
  constraint: TopologySpreadConstraint,
  constraintPath: string,
): FieldError[] {
  const { matchLabelKeys: keys = [], labelSelector: selector } = constraint;
  if (keys.length === 0) return [];
  const path = `${constraintPath}.matchLabelKeys`;
  const asked = new Set([
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map(({ key }) => key),
  ]);
  const errors = selector
    ? []
    : [forbiddenField(path, 'must not be specified when labelSelector is not set')];
  for (const [index, key] of keys.entries()) {
    errors.push(...labelName(key, `${path}[${index}]`));
    if (asked.has(key)) errors.push(invalidValue(`${path}[${index}]`, key, IN_BOTH));
  }
  return errors;
}
