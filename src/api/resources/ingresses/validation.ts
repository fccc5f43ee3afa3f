// What may stand in an Ingress, and in its status (pkg/apis/networking/validation, ValidateIngressCreate and those
// below it): rules, paths, backends, hosts of TLS. Whether a backend is there, nobody asks.
import { isIP } from 'node:net';
import { type FieldError, invalidValue, notSupported, required } from '../../errors.ts';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
  TypedLocalObjectReference,
} from '../../generated/types.ts';
import { dns1123Label, dns1123Subdomain, pathSegmentName, portName, wildcardSubdomain } from '../../names.ts';
import { checked, optionalSubdomain, portNumber } from '../../validation/field-rules.ts';
import { addressWarnings, ipAddress } from '../../validation/ip-rules.ts';

/** The annotation from before there was the field of the class. */
export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const PATH_TYPES: readonly string[] = ['Exact', 'ImplementationSpecific', 'Prefix'];
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];

/** What an old object may have had, from before there was a rule. */
interface Tolerance {
  secretNames: boolean;
  wildcardRules: boolean;
}

/** What is wrong with a new ingress. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const errors = validate(ingress, { secretNames: false, wildcardRules: false });
  const annotated = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  const name = ingress.spec?.ingressClassName;
  if (annotated !== undefined && name !== undefined && annotated !== name) {
    const why = 'must match `ingressClassName` when both are specified';
    errors.push(invalidValue(`annotations.${CLASS_ANNOTATION}`, annotated, why));
  }
  return errors;
}

/** What is wrong with a changed ingress. */
export function validateIngressUpdate(ingress: Ingress, old: Ingress): FieldError[] {
  const { tls = [], rules = [] } = old.spec ?? {};
  return validate(ingress, {
    secretNames: tls.some((each) => validateSecretName(each, '').length > 0),
    wildcardRules: rules.some((rule) => rule.host?.includes('*') && validatePaths(rule, '').length > 0),
  });
}

function validate({ spec = {} }: Ingress, tolerance: Tolerance): FieldError[] {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec;
  const errors: FieldError[] = [];
  if (rules.length === 0 && !defaultBackend) {
    const why = 'either `defaultBackend` or `rules` must be specified';
    errors.push(invalidValue('spec', spec.rules, why));
  }
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validateRule(rule, tolerance, `spec.rules[${index}]`)),
    ...tls.flatMap((each, index) => validateTls(each, tolerance, `spec.tls[${index}]`)),
    ...(ingressClassName === undefined
      ? []
      : checked(ingressClassName, 'spec.ingressClassName', dns1123Subdomain)),
  ];
}

const validateHost = (host: string, path: string): FieldError[] =>
  checked(host, path, host.includes('*') ? wildcardSubdomain : dns1123Subdomain);

function validateRule(rule: IngressRule, tolerance: Tolerance, path: string): FieldError[] {
  const { host = '' } = rule;
  const errors: FieldError[] = [];
  if (isIP(host) !== 0) errors.push(notAnAddress(`${path}.host`, host));
  if (host) errors.push(...validateHost(host, `${path}.host`));
  if (host.includes('*') && tolerance.wildcardRules) return errors;
  return [...errors, ...validatePaths(rule, `${path}.http.paths`)];
}

const notAnAddress = (path: string, host: string): FieldError =>
  invalidValue(path, host, 'must be a DNS name, not an IP address');

function validatePaths({ http }: IngressRule, path: string): FieldError[] {
  if (!http) return [];
  const { paths = [] } = http;
  if (paths.length === 0) return [required(path)];
  return paths.flatMap((each, index) => validatePath(each, `${path}[${index}]`));
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')];
  const refuse = (why: string): FieldError => invalidValue(`${at}.path`, path, why);
  const errors: FieldError[] = [];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(refuse('must be an absolute path'));
    for (const part of BAD_SEQUENCES)
      if (path.includes(part)) errors.push(refuse(`must not contain '${part}'`));
    for (const end of BAD_ENDS) if (path.endsWith(end)) errors.push(refuse(`cannot end with '${end}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path && !path.startsWith('/')) errors.push(refuse('must be an absolute path'));
  } else errors.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES));
  return [...errors, ...validateBackend(backend, `${at}.backend`)];
}

function validateBackend({ service, resource }: IngressBackend, path: string): FieldError[] {
  if (service && resource) return [invalidValue(path, '', 'cannot set both resource and service backends')];
  if (resource) return validateReference(resource, `${path}.resource`);
  if (!service) return [invalidValue(path, '', 'resource or service backend is required')];
  const at = `${path}.service`;
  const errors = service.name ? checked(service.name, `${at}.name`, dns1123Label) : [required(`${at}.name`)];
  const { name = '', number = 0 } = service.port ?? {};
  if (name && number) return [...errors, invalidValue(path, '', 'cannot set both port name & port number')];
  if (name) return [...errors, ...checked(name, `${at}.port.name`, portName)];
  if (number) return [...errors, ...portNumber(number, `${at}.port.number`)];
  return [...errors, required(path, 'port name or number is required')];
}

function validateReference({ apiGroup, kind, name }: TypedLocalObjectReference, path: string): FieldError[] {
  return [
    ...(apiGroup === undefined ? [] : checked(apiGroup, `${path}.apiGroup`, dns1123Subdomain)),
    ...(kind ? checked(kind, `${path}.kind`, pathSegmentName) : [required(`${path}.kind`)]),
    ...(name ? checked(name, `${path}.name`, pathSegmentName) : [required(`${path}.name`)]),
  ];
}

function validateTls(tls: IngressTLS, { secretNames }: Tolerance, path: string): FieldError[] {
  const hosts = (tls.hosts ?? []).flatMap((host, index) => validateHost(host, `${path}.hosts[${index}]`));
  return secretNames ? hosts : [...hosts, ...validateSecretName(tls, path)];
}

const validateSecretName = ({ secretName }: IngressTLS, path: string): FieldError[] =>
  optionalSubdomain(secretName, `${path}.secretName`);

/** What is wrong with what a controller reports; an address that was there before is let through. */
export function validateIngressStatusUpdate({ status }: Ingress, old: Ingress): FieldError[] {
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    const errors = ip && !known.has(ip) ? ipAddress(ip, `${path}.ip`) : [];
    if (!hostname) return errors;
    errors.push(...checked(hostname, `${path}.hostname`, dns1123Subdomain));
    if (isIP(hostname) !== 0) errors.push(notAnAddress(`${path}.hostname`, hostname));
    return errors;
  });
}

/** @param old the ingress before: the annotation is spoken of once. */
export function ingressWarnings({ metadata, spec, status }: Ingress, old?: Ingress): string[] {
  if (old) {
    const ingress = status?.loadBalancer?.ingress ?? [];
    return ingress.flatMap(({ ip }, index) =>
      ip ? addressWarnings(ip, `status.loadBalancer.ingress[${index}]`) : [],
    );
  }
  const isOld =
    metadata.annotations?.[CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined;
  if (!isOld) return [];
  return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];
}
