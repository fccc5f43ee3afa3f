// What may stand in an IngressClass (pkg/apis/networking/validation, ValidateIngressClass): its controller, which stays,
// and where its parameters are.
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../errors.ts';
import type { IngressClass, IngressClassParametersReference } from '../../generated/types.ts';
import { dns1123Label, dns1123Subdomain, pathSegmentName, patternMessage } from '../../names.ts';
import { checked, immutable } from '../../validation/field-rules.ts';

const MAX_CONTROLLER = 250;
const SCOPES: readonly string[] = ['Cluster', 'Namespace'];
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${HTTP_PATH}$`);

/** What is wrong with a class. */
export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec ?? {};
  const path = 'spec.controller';
  return [
    ...(controller.length > MAX_CONTROLLER ? [tooLong(path, MAX_CONTROLLER)] : []),
    ...domainPrefixedPath(controller, path),
    ...(parameters ? validateParameters(parameters, 'spec.parameters') : []),
  ];
}

/** `example.com/name` (IsDomainPrefixedPath). */
function domainPrefixedPath(value: string, path: string): FieldError[] {
  if (!value) return [required(path)];
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash < 1 || !rest) {
    return [invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = checked(host, path, dns1123Subdomain);
  return httpPath.test(rest)
    ? errors
    : [...errors, invalidValue(path, rest, patternMessage('Invalid path', HTTP_PATH))];
}

function validateParameters(parameters: IngressClassParametersReference, path: string): FieldError[] {
  const { apiGroup, kind, name, scope, namespace } = parameters;
  const errors = [
    ...(apiGroup === undefined ? [] : checked(apiGroup, `${path}.apiGroup`, dns1123Subdomain)),
    ...(kind ? checked(kind, `${path}.kind`, pathSegmentName) : [required(`${path}.kind`)]),
    ...(name ? checked(name, `${path}.name`, pathSegmentName) : [required(`${path}.name`)]),
  ];
  if (scope === undefined) return [...errors, required(`${path}.scope`)];
  const at = `${path}.namespace`;
  if (!SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES));
  else if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(at, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...checked(namespace, at, dns1123Label));
  } else if (namespace !== undefined) {
    errors.push(forbiddenField(at, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

/** What is wrong with a changed class. */
export function validateIngressClassUpdate(object: IngressClass, old: IngressClass): FieldError[] {
  return [
    ...immutable(object.spec?.controller, old.spec?.controller, 'spec.controller'),
    ...validateIngressClass(object),
  ];
}
