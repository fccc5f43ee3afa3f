// Rules of a pod's claims of devices (pkg/apis/core/validation, validatePodResourceClaims). No scheduler or node here
// fulfils one: a pod that has some stays Pending, as on a cluster without the devices.
import { duplicate, type FieldError, invalidValue, required } from '../../../errors.ts';
import type { PodResourceClaim } from '../../../generated/types.ts';
import { dns1123Label, dns1123Subdomain } from '../../../names.ts';
import { checked } from '../../../validation/field-rules.ts';

export function validateClaimsOfDevices(claims: readonly PodResourceClaim[], path: string): FieldError[] {
  const names = new Set<string>();
  return claims.flatMap((claim, index) => {
    const { name, resourceClaimName: direct, resourceClaimTemplateName: template } = claim;
    const at = `${path}[${index}]`;
    const errors = !name
      ? [required(`${at}.name`)]
      : names.has(name)
        ? [duplicate(`${at}.name`, name)]
        : checked(name, `${at}.name`, dns1123Label);
    names.add(name);
    if (direct !== undefined && template !== undefined) {
      const reason = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(invalidValue(at, claim, reason));
    }
    if (direct === undefined && template === undefined) {
      const reason = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(invalidValue(at, claim, reason));
    }
    if (direct !== undefined) errors.push(...checked(direct, `${at}.resourceClaimName`, dns1123Subdomain));
    if (template !== undefined) {
      errors.push(...checked(template, `${at}.resourceClaimTemplateName`, dns1123Subdomain));
    }
    return errors;
  });
}
