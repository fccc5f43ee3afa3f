// Rules of containers' requests and limits (pkg/apis/core/validation, ValidateContainerResourceRequirements).
import { type FieldError, invalidValue } from '../errors.ts';
import type { ResourceRequirements } from '../generated/types.ts';
import { qualifiedName } from '../names.ts';
import { canonicalQuantity, compareQuantities, parseQuantity } from '../quantity.ts';
import { checked, quantity } from './field-rules.ts';

const STANDARD: readonly string[] = ['cpu', 'ephemeral-storage', 'memory'];
const NANO = 1_000_000_000n;

function isStandard(resource: string): boolean {
  return STANDARD.includes(resource) || resource.startsWith('hugepages-');
}

function validateResource(resource: string, amount: string, path: string): FieldError[] {
  const errors = checked(resource, path, qualifiedName);
  if (errors.length === 0 && !resource.includes('/') && !isStandard(resource)) {
    errors.push(invalidValue(path, resource, 'must be a standard resource for containers'));
  }
  const bad = quantity(amount, path);
  errors.push(...bad);
  // Devices and the like come whole.
  if (bad.length === 0 && resource.includes('/') && (parseQuantity(amount) ?? 0n) % NANO !== 0n) {
    errors.push(invalidValue(path, amount, 'must be an integer'));
  }
  return errors;
}

export function validateResources(
  { limits = {}, requests = {} }: ResourceRequirements,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [resource, amount] of Object.entries(limits)) {
    errors.push(...validateResource(resource, amount, `${path}.limits[${resource}]`));
  }
  for (const [resource, amount] of Object.entries(requests)) {
    const bad = validateResource(resource, amount, `${path}.requests[${resource}]`);
    errors.push(...bad);
    const limit = limits[resource];
    if (bad.length > 0 || limit === undefined || parseQuantity(limit) === undefined) continue;
    if (compareQuantities(amount, limit) > 0) {
      const reason = `must be less than or equal to ${resource} limit of ${canonicalQuantity(limit)}`;
      errors.push(invalidValue(`${path}.requests`, canonicalQuantity(amount), reason));
    }
  }
  return errors;
}
