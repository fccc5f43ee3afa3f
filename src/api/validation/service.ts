// What may stand in a Service, and what may change (pkg/apis/core/validation, ValidateService…).
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import { dns1123Subdomain, qualifiedName } from '../names.ts';
import { validateLabels } from '../selectors.ts';
import {
  checked,
  ipAddress,
  oneOf,
  optionalLabel,
  optionalOneOf,
  portNumber,
  portNumberOrName,
} from './field-rules.ts';

const MAX_AFFINITY_SECONDS = 86_400;

export function validateService({ spec }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const headless = spec.clusterIP === 'None';
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    errors.push(
      invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`),
    );
  }
  return [
    ...errors,
    ...(spec.type === 'ExternalName' ? validateExternalName(spec) : []),
    ...validatePorts(ports, spec.type ?? ''),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...oneOf(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']),
    ...validateAffinityTimeout(spec),
    ...validateClusterIPs(spec),
    ...(spec.externalIPs ?? []).flatMap((address, index) => ipAddress(address, `spec.externalIPs[${index}]`)),
    ...oneOf(spec.type, 'spec.type', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...optionalOneOf(spec.externalTrafficPolicy, 'spec.externalTrafficPolicy', ['Cluster', 'Local']),
    ...optionalOneOf(spec.internalTrafficPolicy, 'spec.internalTrafficPolicy', ['Cluster', 'Local']),
    ...optionalOneOf(spec.ipFamilyPolicy, 'spec.ipFamilyPolicy', [
      'PreferDualStack',
      'RequireDualStack',
      'SingleStack',
    ]),
  ];
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.clusterIPs?.length) {
    errors.push(forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services'));
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  return [
    ...errors,
    ...(name ? checked(name, 'spec.externalName', dns1123Subdomain) : [required('spec.externalName')]),
  ];
}

function validatePorts(ports: readonly ServicePort[], type: string): FieldError[] {
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const { name = '', protocol = 'TCP', nodePort = 0 } = port;
    if (name === '') {
      if (ports.length > 1) errors.push(required(`${path}.name`));
    } else {
      errors.push(...optionalLabel(name, `${path}.name`));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    errors.push(
      ...portNumber(port.port, `${path}.port`),
      ...oneOf(port.protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']),
      ...(port.targetPort === undefined ? [] : portNumberOrName(port.targetPort, `${path}.targetPort`)),
      ...(port.appProtocol ? checked(port.appProtocol, `${path}.appProtocol`, qualifiedName) : []),
    );
    const number = `${protocol}/${port.port}`;
    if (numbers.has(number)) errors.push(duplicate(path, { protocol, port: port.port }));
    numbers.add(number);
    if (nodePort === 0) continue;
    if (type === 'ClusterIP') {
      errors.push(forbiddenField(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    const onNode = `${protocol}/${nodePort}`;
    if (nodePorts.has(onNode)) errors.push(duplicate(`${path}.nodePort`, nodePort));
    nodePorts.add(onNode);
  }
  return errors;
}

function validateAffinityTimeout(spec: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  const { sessionAffinityConfig: config } = spec;
  if (config === undefined) return [];
  if (spec.sessionAffinity === 'None') {
    return [forbiddenField(path, 'must not be set when session affinity is None')];
  }
  const seconds = config.clientIP?.timeoutSeconds;
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`)];
  if (seconds > 0 && seconds <= MAX_AFFINITY_SECONDS) return [];
  const reason = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
  return [invalidValue(`${path}.clientIP.timeoutSeconds`, seconds, reason)];
}

function validateClusterIPs(spec: ServiceSpec): FieldError[] {
  const { clusterIP = '', clusterIPs = [] } = spec;
  if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    return [invalidValue('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`')];
  }
  if (clusterIP === '' && clusterIPs.length > 0) {
    return [invalidValue('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified')];
  }
  if (clusterIP === 'None') {
    return clusterIPs.length > 1
      ? [invalidValue('spec.clusterIPs', clusterIPs, 'must not have more than one value when set to None')]
      : [];
  }
  return clusterIPs.flatMap((address, index) => ipAddress(address, `spec.clusterIPs[${index}]`));
}

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const errors = validateService(service);
  const [before] = old.spec.clusterIPs ?? [];
  const named = service.spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName';
  if (named && before && service.spec.clusterIPs?.[0] !== before) {
    errors.push(invalidValue('spec.clusterIPs[0]', service.spec.clusterIPs ?? [], 'may not change once set'));
  }
  return errors;
}
