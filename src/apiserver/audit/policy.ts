// Which requests are audited, and how much of them: audit.k8s.io/v1 Policy, read from a file. Follows apiserver
// pkg/apis/audit (types, validation) and pkg/audit/policy/checker.go.
import { type FieldError, invalidValue, notSupported, required, typeInvalid } from '../../api/errors.ts';
import { dns1123Subdomain } from '../../api/names.ts';
import { isStruct } from '../../base/struct.ts';
import { yaml } from '../../base/yaml.ts';
import type { Attributes } from '../authz/authorize.ts';
import type { User } from '../request.ts';

const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;

/** How much of a request is recorded; each has what the one before it has. */
export type Level = (typeof LEVELS)[number];
export type Stage = (typeof STAGES)[number];

interface GroupResources {
  group?: string;
  resources?: string[];
  resourceNames?: string[];
}

interface PolicyRule {
  level: Level;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  resources?: GroupResources[];
  namespaces?: string[];
  nonResourceURLs?: string[];
  omitStages?: Stage[];
  omitManagedFields?: boolean;
}

export interface Policy {
  rules: PolicyRule[];
  omitStages?: Stage[];
  omitManagedFields?: boolean;
}

/** What is recorded of one request. */
export interface AuditConfig {
  level: Level;
  omitStages: ReadonlySet<Stage>;
  omitManagedFields: boolean;
}

/** Whether a level records at least as much as another. */
export function atLeast(level: Level, other: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(other);
}

/**
 * What a policy says of a request: the first rule that matches decides, and what none matches is not recorded.
 * @param user who asks, before they ask as somebody else.
 */
export function evaluate(policy: Policy, user: User, asked: Attributes): AuditConfig {
  const rule = policy.rules.find((each) => matches(each, user, asked));
  return {
    level: rule?.level ?? 'None',
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])]),
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

/** An empty list is no condition. */
const isIn = (list: readonly string[] | undefined, value: string): boolean =>
  !list?.length || list.includes(value);

function matches(rule: PolicyRule, user: User, asked: Attributes): boolean {
  if (!isIn(rule.users, user.name)) return false;
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (!isIn(rule.verbs, asked.verb)) return false;
  if (rule.namespaces?.length || rule.resources?.length) {
    if ('path' in asked || !isIn(rule.namespaces, asked.namespace ?? '')) return false;
    return !rule.resources?.length || rule.resources.some((each) => matchesResource(each, asked));
  }
  if (!rule.nonResourceURLs?.length) return true;
  return 'path' in asked && rule.nonResourceURLs.some((url) => matchesPath(url, asked.path));
}

function matchesPath(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)));
}

function matchesResource(
  { group = '', resources = [], resourceNames = [] }: GroupResources,
  { resource, subresource, name = '' }: Exclude<Attributes, { path: string }>,
): boolean {
  if (group !== '*' && group !== resource.group) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
  const full = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  return resources.some(
    (each) =>
      each === '*' ||
      each === full ||
      (subresource !== undefined && each === `*/${subresource}`) ||
      each === `${resource.plural}/*`,
  );
}

// ---- reading ----------------------------------------------------------------------------------------------------

/** Reads a policy. Throws an Error whose message says what is wrong with which field. @param text YAML or JSON. */
export function parsePolicy(text: string): Policy {
  const value: unknown = yaml().parse(text);
  if (!isStruct(value)) throw new Error('it is not an object of kind Policy');
  if (value.apiVersion !== 'audit.k8s.io/v1' || value.kind !== 'Policy') {
    throw new Error(
      `it must have apiVersion audit.k8s.io/v1 and kind Policy, not ${value.apiVersion} and ${value.kind}`,
    );
  }
  const rules = Array.isArray(value.rules) ? value.rules : [];
  if (rules.length === 0) throw new Error('loaded illegal policy with 0 rules');
  const errors = [...stageErrors(value.omitStages, 'omitStages'), ...rules.flatMap(ruleErrors)];
  if (errors.length > 0) throw new Error(errors.map(({ field, body }) => `${field}: ${body}`).join('; '));
  // Every field has just been looked at.
  return value as typeof value & Policy;
}

const RULE_LISTS = ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs'] as const;

function ruleErrors(rule: unknown, index: number): FieldError[] {
  const path = `rules[${index}]`;
  if (!isStruct(rule)) return [typeInvalid(path, rule, 'must be an object')];
  const errors = RULE_LISTS.flatMap((name) => listErrors(rule[name], `${path}.${name}`));
  const { level } = rule;
  if (level === undefined || level === '') errors.push(required(`${path}.level`));
  else if (!LEVELS.some((each) => each === level)) errors.push(notSupported(`${path}.level`, level, LEVELS));
  errors.push(...stageErrors(rule.omitStages, `${path}.omitStages`));
  if (rule.resources !== undefined && !Array.isArray(rule.resources)) {
    return [...errors, typeInvalid(`${path}.resources`, rule.resources, 'must be a list')];
  }
  const resources: unknown[] = rule.resources ?? [];
  errors.push(...resources.flatMap((each, at) => resourceErrors(each, `${path}.resources[${at}]`)));
  if (errors.length > 0) return errors;
  const { nonResourceURLs = [], namespaces = [] } = rule as typeof rule & PolicyRule;
  for (const [at, url] of nonResourceURLs.entries()) {
    if (url === '*') continue;
    const field = `${path}.nonResourceURLs[${at}]`;
    if (!url.startsWith('/')) {
      errors.push(invalidValue(field, url, "non-resource URL rules must begin with a '/' character"));
    }
    if (url.slice(0, -1).includes('*')) {
      const why = "non-resource URL wildcards '*' must be the final character of the rule";
      errors.push(invalidValue(field, url, why));
    }
  }
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const why = 'rules cannot apply to both regular resources and non-resource URLs';
    errors.push(invalidValue(`${path}.nonResourceURLs`, nonResourceURLs, why));
  }
  return errors;
}

function resourceErrors(value: unknown, path: string): FieldError[] {
  if (!isStruct(value)) return [typeInvalid(path, value, 'must be an object with group and resources')];
  const { group, resources, resourceNames } = value;
  const errors = [
    ...listErrors(resources, `${path}.resources`),
    ...listErrors(resourceNames, `${path}.resourceNames`),
  ];
  if (group !== undefined && typeof group !== 'string') {
    errors.push(typeInvalid(`${path}.group`, group, 'must be a string'));
  } else if (group && group !== '*' && dns1123Subdomain(group).length > 0) {
    errors.push(invalidValue(`${path}.group`, group, dns1123Subdomain(group).join(',')));
  }
  if (
    Array.isArray(resourceNames) &&
    resourceNames.length > 0 &&
    !(Array.isArray(resources) && resources.length)
  ) {
    const why = 'using resourceNames requires at least one resource';
    errors.push(invalidValue(`${path}.resourceNames`, resourceNames, why));
  }
  return errors;
}

function listErrors(value: unknown, path: string): FieldError[] {
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
  return isList ? [] : [typeInvalid(path, value, 'must be a list of strings')];
}

function stageErrors(value: unknown, path: string): FieldError[] {
  const wrong = listErrors(value, path);
  if (wrong.length > 0 || !Array.isArray(value)) return wrong;
  return value.flatMap((stage, index) =>
    STAGES.includes(stage)
      ? []
      : [invalidValue(`${path}[${index}]`, stage, `allowed stages are ${STAGES.join(',')}`)],
  );
}
