// What may stand in an IPAddress (pkg/apis/networking/validation, ValidateIPAddress): whose it is, which stays.
import { type FieldError, required } from '../../errors.ts';
import type { IPAddress } from '../../generated/types.ts';
import { dns1123Subdomain, pathSegmentName } from '../../names.ts';
import { checked, immutable } from '../../validation/field-rules.ts';

const PATH = 'spec.parentRef';

/** What is wrong with an address. */
export function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef;
  if (!parent) return [required(PATH)];
  const { group, resource, name, namespace } = parent;
  return [
    ...(group ? checked(group, `${PATH}.group`, dns1123Subdomain) : []),
    ...(resource ? checked(resource, `${PATH}.resource`, pathSegmentName) : [required(`${PATH}.resource`)]),
    ...(name ? checked(name, `${PATH}.name`, pathSegmentName) : [required(`${PATH}.name`)]),
    ...(namespace ? checked(namespace, `${PATH}.namespace`, pathSegmentName) : []),
  ];
}

/** What is wrong with a changed address. */
export function validateIpAddressUpdate(object: IPAddress, old: IPAddress): FieldError[] {
  return [...validateIpAddress(object), ...immutable(object.spec?.parentRef, old.spec?.parentRef, PATH)];
}
