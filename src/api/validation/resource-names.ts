// Which names of resources there are, and where each may stand (pkg/apis/core/helper, and validateResourceName… of
// pkg/apis/core/validation): what containers ask for, what quotas count, what comes only whole.
import { type FieldError, invalidValue } from '../errors.ts';
import { qualifiedName } from '../names.ts';
import { parseQuantity, QUANTITY_ERROR } from '../quantity.ts';
import { COUNTED_BY_NAME } from '../quota/usage.ts';
import { checked, NOT_NEGATIVE } from './field-rules.ts';

const NANO = 1_000_000_000n;
const CONTAINER_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'ephemeral-storage', 'memory']);
/** Objects that quotas count: no half ones. */
const COUNTED: ReadonlySet<string> = new Set([
  ...COUNTED_BY_NAME,
  'services.loadbalancers',
  'services.nodeports',
]);
/** What of a container's limits and requests is named by one word: in quotas, and for files and variables of pods. */
export const LIMITS_AND_REQUESTS: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const QUOTA_RESOURCES: ReadonlySet<string> = new Set([
  ...COUNTED,
  ...CONTAINER_RESOURCES,
  ...LIMITS_AND_REQUESTS,
  'requests.storage',
]);

export function isHugePages(resource: string): boolean {
  return resource.startsWith('hugepages-');
}

/** Of Kubernetes itself, not of a device plugin. */
export function isNativeResource(resource: string): boolean {
  return !resource.includes('/') || resource.includes('kubernetes.io/');
}

/** May containers ask for more than there is, and use less than they ask for? */
export function isOvercommitAllowed(resource: string): boolean {
  return isNativeResource(resource) && !isHugePages(resource);
}

function isExtendedResource(resource: string): boolean {
  if (isNativeResource(resource) || resource.startsWith('requests.')) return false;
  return qualifiedName(`requests.${resource}`).length === 0;
}

function isContainerResource(resource: string): boolean {
  return CONTAINER_RESOURCES.has(resource) || isHugePages(resource);
}

export function isQuotaResource(resource: string): boolean {
  return QUOTA_RESOURCES.has(resource) || isHugePages(resource) || resource.startsWith('requests.hugepages-');
}

/** A known name, or one with a domain. */
export function resourceName(resource: string, path: string): FieldError[] {
  if (isContainerResource(resource)) return [];
  const errors = checked(resource, path, qualifiedName);
  if (errors.length > 0 || resource.includes('/')) return errors;
  if (resource === 'storage' || isQuotaResource(resource)) return [];
  return [invalidValue(path, resource, 'must be a standard resource type or fully qualified')];
}

export function containerResourceName(resource: string, path: string): FieldError[] {
  if (isContainerResource(resource)) return [];
  const errors = resourceName(resource, path);
  if (!resource.includes('/')) {
    errors.push(invalidValue(path, resource, 'must be a standard resource for containers'));
  } else if (!isNativeResource(resource) && !isExtendedResource(resource)) {
    errors.push(invalidValue(path, resource, "doesn't follow extended resource name standard"));
  }
  return errors;
}

export function quotaResourceName(resource: string, path: string): FieldError[] {
  const errors = resourceName(resource, path);
  if (!resource.includes('/') && !isQuotaResource(resource)) {
    errors.push(invalidValue(path, resource, 'must be a standard resource for quota'));
  }
  return errors;
}

/** An amount of a resource: none below zero, and whole where the resource comes whole. */
export function resourceAmount(resource: string, amount: string, path: string): FieldError[] {
  const nano = parseQuantity(amount);
  if (nano === undefined) return [invalidValue(path, amount, QUANTITY_ERROR)];
  const errors = nano < 0n ? [invalidValue(path, amount, NOT_NEGATIVE)] : [];
  if (nano % NANO !== 0n && (COUNTED.has(resource) || isExtendedResource(resource))) {
    errors.push(invalidValue(path, amount, 'must be an integer'));
  }
  return errors;
}
