// What may stand in a ResourceQuota (pkg/apis/core/validation, ValidateResourceQuotaSpec).
import { type FieldError, notSupported } from '../errors.ts';
import type { ResourceQuota } from '../generated/types.ts';
import { immutable, quantity } from './field-rules.ts';

const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
];

export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  const amounts = Object.entries(spec.hard ?? {}).flatMap(([name, amount]) =>
    quantity(amount, `spec.hard[${name}]`),
  );
  const scopes = (spec.scopes ?? []).flatMap((scope) =>
    SCOPES.includes(scope) ? [] : [notSupported('spec.scopes', scope, SCOPES)],
  );
  const selected = (spec.scopeSelector?.matchExpressions ?? []).flatMap(({ scopeName }, index) =>
    SCOPES.includes(scopeName)
      ? []
      : [notSupported(`spec.scopeSelector.matchExpressions[${index}].scopeName`, scopeName, SCOPES)],
  );
  return [...amounts, ...scopes, ...selected];
}

export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  return [...validateResourceQuota(quota), ...immutable(quota.spec.scopes, old.spec.scopes, 'spec.scopes')];
}
