// What may stand in a Service (pkg/apis/core/validation, ValidateService). Its addresses stand in
// service-addresses.ts; what may change, in service-update.ts.
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '../../errors.ts';
import type { Service, ServicePort, ServiceSpec } from '../../generated/types.ts';
import { dns1123Subdomain, qualifiedName } from '../../names.ts';
import { validateLabels } from '../../selectors.ts';
import { checked, oneOf, optionalLabel, portNumber, portNumberOrName } from '../../validation/field-rules.ts';
import { addressRange, externalAddress } from '../../validation/ip-rules.ts';
import { isHeadless, validateClusterIPs } from './addresses.ts';
import { ONLY_FOR_BALANCERS, validateLoadBalancerClass, validateTrafficPolicies } from './traffic.ts';

const MAX_AFFINITY_SECONDS = 86_400;
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];
const AFFINITIES: readonly string[] = ['ClientIP', 'None'];
const TYPES: readonly string[] = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function validateService(service: Service): FieldError[] {
  const { spec, metadata } = service;
  const ports = spec.ports ?? [];
  const firstNamed = new Map(ports.map((port) => [port.name, port] as const).reverse());
  const errors = validateTopologyAnnotations(metadata.annotations);
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') {
    errors.push(required('spec.ports'));
  }
  errors.push(
    ...validateType(spec),
    ...ports.flatMap((port, index) => validatePort(port, ports, firstNamed, `spec.ports[${index}]`)),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...oneOf(spec.sessionAffinity, 'spec.sessionAffinity', AFFINITIES),
    ...validateAffinity(spec, 'spec.sessionAffinityConfig'),
    ...validateClusterIPs(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => externalAddress(ip, `spec.externalIPs[${index}]`)),
    ...oneOf(spec.type, 'spec.type', TYPES),
    ...validatePortNumbers(ports, spec.type),
    ...validateSourceRanges(service),
    ...validateTrafficPolicies(spec),
    ...validateLoadBalancerClass(spec),
  );
  return errors;
}

function validateTopologyAnnotations(annotations: Record<string, string> = {}): FieldError[] {
  const mode = annotations[TOPOLOGY_MODE];
  const hints = annotations[TOPOLOGY_HINTS];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const reason = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  return [invalidValue(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, reason)];
}

function validateType(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (!isHeadless(spec)) return [];
    return [invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`)];
  }
  if (spec.type !== 'ExternalName') return [];
  const errors: FieldError[] = [];
  const refuse = (field: string): void => {
    errors.push(forbiddenField(`spec.${field}`, 'may not be set for ExternalName services'));
  };
  if (spec.clusterIPs?.length) refuse('clusterIPs');
  if (spec.ipFamilies?.length) refuse('ipFamilies');
  if (spec.ipFamilyPolicy !== undefined) refuse('ipFamilyPolicy');
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  errors.push(
    ...(name ? checked(name, 'spec.externalName', dns1123Subdomain) : [required('spec.externalName')]),
  );
  return errors;
}

function validatePort(
  port: ServicePort,
  ports: readonly ServicePort[],
  firstNamed: ReadonlyMap<string | undefined, ServicePort>,
  path: string,
): FieldError[] {
  const { name = '' } = port;
  const errors: FieldError[] = [];
  if (name === '') {
    if (ports.length > 1) errors.push(required(`${path}.name`));
  } else {
    errors.push(...optionalLabel(name, `${path}.name`));
    if (firstNamed.get(name) !== port) errors.push(duplicate(`${path}.name`, name));
  }
  errors.push(
    ...portNumber(port.port, `${path}.port`),
    ...oneOf(port.protocol, `${path}.protocol`, PROTOCOLS),
    ...portNumberOrName(port.targetPort ?? 0, `${path}.targetPort`),
  );
  if (port.appProtocol !== undefined) {
    errors.push(...checked(port.appProtocol, `${path}.appProtocol`, qualifiedName));
  }
  return errors;
}

/** Each number once for each protocol, on the service and on the nodes. */
function validatePortNumbers(ports: readonly ServicePort[], type: string | undefined): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { nodePort }] of ports.entries()) {
    if (!nodePort || type !== 'ClusterIP') continue;
    const reason = "may not be used when `type` is 'ClusterIP'";
    errors.push(forbiddenField(`spec.ports[${index}].nodePort`, reason));
  }
  const onNodes = new Set<string>();
  for (const [index, { protocol, nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    const id = `${protocol}/${nodePort}`;
    if (onNodes.has(id)) errors.push(duplicate(`spec.ports[${index}].nodePort`, nodePort));
    onNodes.add(id);
  }
  const numbers = new Set<string>();
  for (const [index, { protocol, port }] of ports.entries()) {
    const id = `${protocol}/${port}`;
    if (numbers.has(id)) errors.push(duplicate(`spec.ports[${index}]`, asUpstreamPrints(protocol, port)));
    numbers.add(id);
  }
  return errors;
}

/** Upstream prints its own type here, not the manifest's. */
function asUpstreamPrints(protocol: string | undefined, port: number): object {
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
}

function validateAffinity(spec: ServiceSpec, path: string): FieldError[] {
  const { sessionAffinity: affinity, sessionAffinityConfig: config } = spec;
  if (affinity === 'None') {
    return config ? [forbiddenField(path, 'must not be set when session affinity is None')] : [];
  }
  if (affinity !== 'ClientIP') return [];
  const reason = 'when session affinity type is ClientIP';
  if (!config) return [required(path, reason)];
  if (!config.clientIP) return [required(`${path}.clientIP`, reason)];
  const at = `${path}.clientIP.timeoutSeconds`;
  const seconds = config.clientIP.timeoutSeconds;
  if (seconds === undefined) return [required(at, reason)];
  if (seconds > 0 && seconds <= MAX_AFFINITY_SECONDS) return [];
  return [invalidValue(at, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)];
}

/** The ranges stand in the spec, or in the annotation from before there was the field. */
function validateSourceRanges({ spec, metadata }: Service): FieldError[] {
  const listed = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[SOURCE_RANGES];
  if (listed.length === 0 && annotation === undefined) return [];
  const path = listed.length > 0 ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${SOURCE_RANGES}]`;
  const errors = spec.type === 'LoadBalancer' ? [] : [forbiddenField(path, ONLY_FOR_BALANCERS)];
  for (const [index, range] of listed.entries()) {
    errors.push(...addressRange(range.trim(), `${path}[${index}]`));
  }
  if (listed.length === 0 && annotation?.trim()) {
    for (const range of annotation.split(',')) errors.push(...addressRange(range.trim(), path));
  }
  return errors;
}
