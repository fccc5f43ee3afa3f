// What may stand in a ServiceCIDR (pkg/apis/networking/validation, ValidateServiceCIDR): one range or one of each
// family; a second one may come, nothing else changes.
import { type FieldError, invalidValue, required } from '../../errors.ts';
import type { ServiceCIDR } from '../../generated/types.ts';
import { IMMUTABLE } from '../../validation/field-rules.ts';
import { canonicalRange, isDualStack } from '../../validation/ip-rules.ts';

const PATH = 'spec.cidrs';

/** What is wrong with a new one. */
export function validateServiceCidr({ spec = {} }: ServiceCIDR): FieldError[] {
  const { cidrs = [] } = spec;
  if (cidrs.length === 0) return [required(PATH, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalidValue(PATH, spec, 'may only hold up to 2 values')];
  const errors = cidrs.flatMap((cidr, index) => canonicalRange(cidr, `${PATH}[${index}]`));
  const networks = cidrs.map((cidr) => cidr.split('/')[0] ?? '');
  if (errors.length === 0 && networks.length === 2 && !isDualStack(networks)) {
    const why = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalidValue(PATH, cidrs, why));
  }
  return errors;
}

/** What is wrong with a changed one. */
export function validateServiceCidrUpdate(object: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const { cidrs = [] } = object.spec ?? {};
  const { cidrs: before = [] } = old.spec ?? {};
  const isSecond = before.length === 1 && cidrs.length === 2;
  if (cidrs.length !== before.length && !isSecond) return [invalidValue(PATH, cidrs, IMMUTABLE)];
  const errors = before.flatMap((cidr, index) =>
    cidrs[index] === cidr ? [] : [invalidValue(`${PATH}[${index}]`, cidrs[index], IMMUTABLE)],
  );
  return isSecond ? [...errors, ...validateServiceCidr(object)] : errors;
}
