// Rules of requests, limits and claims of devices, of containers and of pods as a whole (pkg/apis/core/validation,
// validateResourceRequirements, validateResourceClaimNames, validatePodResources).
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
} from '../../../errors.ts';
import type { PodSpec, ResourceClaim, ResourceRequirements } from '../../../generated/types.ts';
import { podRequests } from '../../../pod-resources.ts';
import { canonicalQuantity, compareQuantities, formatQuantity, parseQuantity } from '../../../quantity.ts';
import { optionalLabel } from '../../../validation/field-rules.ts';
import {
  containerResourceName,
  isHugePages,
  isOvercommitAllowed,
  resourceAmount,
  resourceName,
} from '../../../validation/resource-names.ts';

type CheckName = (resource: string, path: string) => FieldError[];
type Amounts = Readonly<Record<string, string>>;

const POD_RESOURCES: readonly string[] = ['cpu', 'memory'];
const NO_CLAIMS: ReadonlySet<string> = new Set();

/** @param claimNames the claims of devices that the pod has. */
export function validateResources(
  requirements: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return requirements ? validateRequirements(requirements, containerResourceName, claimNames, path) : [];
}

function validateRequirements(
  { limits = {}, requests = {}, claims = [] }: ResourceRequirements,
  checkName: CheckName,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let hugePages = false;
  for (const resource in limits) {
    const amount = limits[resource] ?? '';
    errors.push(...validateAmount(resource, amount, checkName, `${path}.limits[${resource}]`));
    hugePages ||= isHugePages(resource);
  }
  for (const resource in requests) {
    const amount = requests[resource] ?? '';
    const bad = validateAmount(resource, amount, checkName, `${path}.requests[${resource}]`);
    errors.push(...bad);
    hugePages ||= isHugePages(resource);
    if (bad.length === 0) errors.push(...withinLimit(resource, amount, limits[resource], path));
  }
  if (hugePages && !asksFor(limits) && !asksFor(requests)) {
    errors.push(forbiddenField(path, 'HugePages require cpu or memory'));
  }
  if (claims.length > 0) errors.push(...validateClaims(claims, claimNames, `${path}.claims`));
  return errors;
}

const asksFor = (amounts: Amounts): boolean => amounts.cpu !== undefined || amounts.memory !== undefined;

function validateAmount(resource: string, amount: string, checkName: CheckName, path: string): FieldError[] {
  const errors = [...checkName(resource, path), ...resourceAmount(resource, amount, path)];
  if (isHugePages(resource) && errors.length === 0 && !isMultipleOf(amount, resource)) {
    const shown = canonicalQuantity(amount);
    errors.push(invalidValue(path, shown, `${shown} is not positive integer multiple of ${resource}`));
  }
  return errors;
}

/** Whether an amount is so many whole pages of the size that the resource's name says. */
function isMultipleOf(amount: string, resource: string): boolean {
  const page = parseQuantity(resource.slice('hugepages-'.length)) ?? 0n;
  return page > 0n && (parseQuantity(amount) ?? 1n) % page === 0n;
}

function withinLimit(
  resource: string,
  amount: string,
  limit: string | undefined,
  path: string,
): FieldError[] {
  if (limit === undefined) {
    if (isOvercommitAllowed(resource)) return [];
    return [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  if (parseQuantity(limit) === undefined) return [];
  const order = compareQuantities(amount, limit);
  const exact = !isOvercommitAllowed(resource);
  if (exact ? order === 0 : order <= 0) return [];
  const must = exact ? 'must be equal to' : 'must be less than or equal to';
  const why = `${must} ${resource} limit of ${canonicalQuantity(limit)}`;
  return [invalidValue(`${path}.requests`, canonicalQuantity(amount), why)];
}

/** Each entry names a claim of the pod, all of it or one of its requests, and nothing twice. */
function validateClaims(
  claims: readonly ResourceClaim[],
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  /** Claims of which one request is named. */
  const inPart = new Set<string>();
  return claims.flatMap(({ name, request }, index) => {
    const at = `${path}[${index}]`;
    if (!name) return [required(at)];
    const errors = optionalLabel(request, `${at}.request`);
    const key = request ? `${name}/${request}` : name;
    const covered = request ? seen.has(name) : inPart.has(name);
    if (seen.has(key) || covered) errors.push(duplicate(at, seen.has(key) ? key : name));
    seen.add(key);
    if (request) inPart.add(name);
    if (!claimNames.has(name)) {
      const list = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].sort().join(', ')}`;
      errors.push(notFoundField(at, name, `must be one of the names in pod.spec.resourceClaims${list}`));
    }
    return errors;
  });
}

function podResourceName(resource: string, path: string): FieldError[] {
  const errors = resourceName(resource, path);
  if (errors.length > 0 || POD_RESOURCES.includes(resource) || isHugePages(resource)) return errors;
  return [notSupported(path, resource, POD_RESOURCES)];
}

/** A pod's own requests hold those of all its containers, and no container may use more than the pod. */
export function validatePodResources(spec: PodSpec, path: string): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  const { claims, ...amounts } = resources;
  const errors = validateRequirements(amounts, podResourceName, NO_CLAIMS, path);
  if (claims) {
    errors.unshift(forbiddenField(`${path}.claims`, 'claims cannot be set for Resources at pod-level'));
  }
  if (errors.length > 0) return errors;
  const { resources: _own, overhead: _overhead, ...containersOnly } = spec;
  for (const [resource, nano] of podRequests({ metadata: {}, spec: containersOnly })) {
    const own = resources.requests?.[resource] ?? '0';
    if (nano <= (parseQuantity(own) ?? 0n)) continue;
    const sum = formatQuantity(nano, resource === 'cpu' ? 'DecimalSI' : 'BinarySI');
    const why = `must be greater than or equal to aggregate container requests of ${sum}`;
    errors.push(invalidValue(`${path}.requests[${resource}]`, canonicalQuantity(own), why));
  }
  for (const [index, container] of spec.containers.entries()) {
    for (const [resource, limit] of Object.entries(container.resources?.limits ?? {})) {
      const own = resources.limits?.[resource];
      if (own === undefined || parseQuantity(limit) === undefined || compareQuantities(limit, own) <= 0)
        continue;
      const why = `must be less than or equal to pod limits of ${canonicalQuantity(own)}`;
      const at = `${path}.containers[${index}][${resource}].limits`;
      errors.push(invalidValue(at, canonicalQuantity(limit), why));
    }
  }
  return errors;
}
