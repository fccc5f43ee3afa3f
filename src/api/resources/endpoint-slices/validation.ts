// What may stand in an EndpointSlice (pkg/apis/discovery/validation).
import { isIPv4 } from 'node:net';
import { duplicate, type FieldError, invalidValue, notSupported, required, tooMany } from '../../errors.ts';
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointHints,
  EndpointSlice,
} from '../../generated/types.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../names.ts';
import { validateLabels } from '../../selectors.ts';
import { checked, immutable, oneOf, optionalLabel } from '../../validation/field-rules.ts';
import { reachableAddress } from '../../validation/ip-rules.ts';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_TOPOLOGY_LABELS = 16;
const MAX_HINTS = 8;
const ADDRESS_TYPES: readonly string[] = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const { addressType, endpoints = [], ports = [] } = slice;
  const errors = oneOf(addressType, 'addressType', ADDRESS_TYPES);
  if (endpoints.length > MAX_ENDPOINTS) errors.push(tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  else {
    for (const [index, endpoint] of endpoints.entries()) {
      errors.push(...validateEndpoint(endpoint, addressType, `endpoints[${index}]`));
    }
  }
  if (ports.length > MAX_PORTS) errors.push(tooMany('ports', ports.length, MAX_PORTS));
  else errors.push(...validatePorts(ports));
  return errors;
}

function validatePorts(ports: readonly DiscoveryV1EndpointPort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, index) => {
    const path = `ports[${index}]`;
    const errors = optionalLabel(name, `${path}.name`);
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    }
    if (appProtocol !== undefined) {
      errors.push(...checked(appProtocol, `${path}.appProtocol`, qualifiedName));
    }
    return errors;
  });
}

function validateEndpoint(endpoint: Endpoint, type: string, path: string): FieldError[] {
  const { addresses, deprecatedTopology: topology, hostname, nodeName, hints } = endpoint;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > MAX_ADDRESSES) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  }
  for (const [index, address] of addresses.entries()) {
    errors.push(...validateAddress(address, type, `${path}.addresses[${index}]`));
  }
  if (nodeName !== undefined) errors.push(...checked(nodeName, `${path}.nodeName`, dns1123Subdomain));
  if (topology) {
    const count = Object.keys(topology).length;
    const at = `${path}.deprecatedTopology`;
    if (count > MAX_TOPOLOGY_LABELS) errors.push(tooMany(at, count, MAX_TOPOLOGY_LABELS));
    errors.push(...validateLabels(topology, at));
  }
  if (hostname !== undefined) errors.push(...checked(hostname, `${path}.hostname`, dns1123Label));
  if (hints) errors.push(...validateHints(hints, `${path}.hints`));
  return errors;
}

function validateAddress(address: string, type: string, path: string): FieldError[] {
  if (type === 'FQDN') return validateDomain(address, path);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const errors = reachableAddress(address, path);
  if (errors.length > 0 || isIPv4(address) === (type === 'IPv4')) return errors;
  return [invalidValue(path, address, `must be an ${type} address`)];
}

/** A whole domain name (IsFullyQualifiedDomainName); a dot at its end says that it is. */
function validateDomain(text: string, path: string): FieldError[] {
  if (!text) return [required(path)];
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const reasons = dns1123Subdomain(name);
  if (reasons.length > 0) return [invalidValue(path, name, reasons.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    return [invalidValue(path, name, 'should be a domain with at least two segments separated by dots')];
  }
  const bad = labels.find((label) => dns1123Label(label).length > 0);
  return bad === undefined ? [] : [invalidValue(path, bad, dns1123Label(bad).join(','))];
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: string): FieldError[] {
  return [
    ...validateHintNames(forZones, labelValue, `${path}.forZones`),
    ...validateHintNames(forNodes, dns1123Subdomain, `${path}.forNodes`),
  ];
}

function validateHintNames(
  hints: readonly { name: string }[],
  check: (name: string) => string[],
  path: string,
): FieldError[] {
  if (hints.length > MAX_HINTS) return [tooMany(path, hints.length, MAX_HINTS)];
  const names = new Set<string>();
  return hints.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    const errors = names.has(name) ? [duplicate(at, name)] : [];
    names.add(name);
    return [...errors, ...(name ? checked(name, at, check) : [required(at)])];
  });
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(slice), ...immutable(slice.addressType, old.addressType, 'addressType')];
}
