// What may stand in an EndpointSlice (pkg/apis/discovery/validation).
import { isIPv4, isIPv6 } from 'node:net';
import { duplicate, type FieldError, invalidValue, required, tooMany } from '../errors.ts';
import type { Endpoint, EndpointSlice } from '../generated/types.ts';
import { dns1123Subdomain } from '../names.ts';
import { checked, immutable, oneOf, optionalLabel, optionalOneOf, optionalSubdomain } from './field-rules.ts';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const endpoints = slice.endpoints ?? [];
  const ports = slice.ports ?? [];
  const names = new Set<string>();
  const errors = oneOf(slice.addressType, 'addressType', ['FQDN', 'IPv4', 'IPv6']);
  if (endpoints.length > MAX_ENDPOINTS) errors.push(tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  if (ports.length > MAX_PORTS) errors.push(tooMany('ports', ports.length, MAX_PORTS));
  for (const [index, endpoint] of endpoints.entries()) {
    errors.push(...validateEndpoint(endpoint, slice.addressType, `endpoints[${index}]`));
  }
  for (const [index, port] of ports.entries()) {
    const path = `ports[${index}]`;
    const name = port.name ?? '';
    errors.push(...optionalLabel(name, `${path}.name`));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    errors.push(...optionalOneOf(port.protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']));
  }
  return errors;
}

function validateEndpoint(endpoint: Endpoint, type: string, path: string): FieldError[] {
  const { addresses } = endpoint;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > MAX_ADDRESSES) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  }
  for (const [index, address] of addresses.entries()) {
    errors.push(...validateAddress(address, type, `${path}.addresses[${index}]`));
  }
  return [
    ...errors,
    ...optionalLabel(endpoint.hostname, `${path}.hostname`),
    ...optionalSubdomain(endpoint.nodeName, `${path}.nodeName`),
  ];
}

function validateAddress(address: string, type: string, path: string): FieldError[] {
  if (type === 'IPv4') return isIPv4(address) ? [] : [invalidValue(path, address, 'must be an IPv4 address')];
  if (type === 'IPv6') return isIPv6(address) ? [] : [invalidValue(path, address, 'must be an IPv6 address')];
  return type === 'FQDN' ? checked(address, path, dns1123Subdomain) : [];
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(slice), ...immutable(slice.addressType, old.addressType, 'addressType')];
}
