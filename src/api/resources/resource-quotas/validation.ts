// What may stand in a ResourceQuota (pkg/apis/core/validation, ValidateResourceQuota): known resources, and scopes that
// go with them and with each other.

import { own } from '../../../base/own.ts';
import { type FieldError, invalidValue, required } from '../../errors.ts';
import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '../../generated/types.ts';
import { IMMUTABLE } from '../../validation/field-rules.ts';
import { isQuotaResource, quotaResourceName, resourceAmount } from '../../validation/resource-names.ts';

type Amounts = Readonly<Record<string, string>>;

const COUNTED: readonly string[] = ['pods'];
const COMPUTE: readonly string[] = [
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
];
const CLAIMS: readonly string[] = ['persistentvolumeclaims', 'requests.storage'];
/** Which of the known resources a scope may be put on. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  BestEffort: COUNTED,
  CrossNamespacePodAffinity: [...COUNTED, ...COMPUTE],
  NotBestEffort: [...COUNTED, ...COMPUTE],
  NotTerminating: [...COUNTED, ...COMPUTE],
  PriorityClass: [...COUNTED, ...COMPUTE],
  Terminating: [...COUNTED, ...COMPUTE],
  VolumeAttributesClass: CLAIMS,
};
/** Scopes that a thing is in or not: there are no values to ask for. */
const ONLY_EXISTS: readonly string[] = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'Terminating',
];
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
];

export function validateResourceQuota({ spec, status }: ResourceQuota): FieldError[] {
  return [...validateSpec(spec), ...validateStatus(status)];
}

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  const { hard = {}, scopes = [], scopeSelector } = spec;
  const errors = validateAmounts(hard, 'spec.hard');
  const path = 'spec.scopes';
  for (const scope of scopes) {
    if (!own(SCOPES, scope)) errors.push(invalidValue(path, scopes, 'unsupported scope'));
    for (const _ of unfit(scope, hard)) {
      errors.push(invalidValue(path, scopes, 'unsupported scope applied to resource'));
    }
  }
  if (conflict(scopes)) errors.push(invalidValue(path, scopes, 'conflicting scopes'));
  if (!scopeSelector) return errors;
  const expressions = scopeSelector.matchExpressions ?? [];
  const selector = 'spec.scopeSelector.matchExpressions';
  for (const expression of expressions) {
    errors.push(...validateExpression(expression, selector));
    for (const _ of unfit(expression.scopeName, hard)) {
      errors.push(invalidValue(selector, scopeSelector, 'unsupported scope applied to resource'));
    }
  }
  if (conflict(expressions.map(({ scopeName }) => scopeName))) {
    errors.push(invalidValue(selector, scopes, 'conflicting scopes'));
  }
  return errors;
}

function validateAmounts(amounts: Amounts, path: string): FieldError[] {
  return Object.entries(amounts).flatMap(([resource, amount]) => [
    ...quotaResourceName(resource, `${path}[${resource}]`),
    ...resourceAmount(resource, amount, `${path}[${resource}]`),
  ]);
}

/** The known resources of the quota that the scope says nothing about. */
function unfit(scope: string, hard: Amounts): string[] {
  const fit = own(SCOPES, scope);
  if (!fit) return [];
  return Object.keys(hard).filter((resource) => isQuotaResource(resource) && !fit.includes(resource));
}

function conflict(scopes: readonly string[]): boolean {
  return OPPOSITES.some(([a, b]) => scopes.includes(a) && scopes.includes(b));
}

function validateExpression(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  path: string,
): FieldError[] {
  const errors = own(SCOPES, scopeName)
    ? []
    : [invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope')];
  if (ONLY_EXISTS.includes(scopeName) && operator !== 'Exists') {
    const why =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, " +
      'ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity';
    errors.push(invalidValue(`${path}.operator`, operator, why));
  }
  const at = `${path}.values`;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return errors;
    const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    errors.push(required(at, why));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return errors;
    const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.push(invalidValue(at, values, why));
  } else errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
  return errors;
}

function validateStatus(status: ResourceQuota['status']): FieldError[] {
  return [
    ...validateAmounts(status?.hard ?? {}, 'status.hard'),
    ...validateAmounts(status?.used ?? {}, 'status.used'),
  ];
}

/** What a quota is about stays; how much it allows may change. */
export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const errors = validateSpec(quota.spec);
  const { scopes = [] } = quota.spec;
  const key = (list: readonly string[] = []): string => [...new Set(list)].sort().join();
  if (key(scopes) !== key(old.spec.scopes)) errors.push(invalidValue('spec.scopes', scopes, IMMUTABLE));
  return errors;
}

export function validateResourceQuotaStatusUpdate({ status }: ResourceQuota): FieldError[] {
  return validateStatus(status);
}
