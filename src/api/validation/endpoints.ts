// What may stand in Endpoints (pkg/apis/core/validation, ValidateEndpoints).
import { type FieldError, required } from '../errors.ts';
import type { EndpointAddress, EndpointPort, Endpoints } from '../generated/types.ts';
import { ipAddress, oneOf, optionalLabel, optionalSubdomain, portNumber } from './field-rules.ts';

export function validateEndpoints(object: Endpoints): FieldError[] {
  return (object.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const path = `subsets[${index}]`;
    const none = addresses.length === 0 && notReadyAddresses.length === 0;
    return [
      ...(none ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
      ...addresses.flatMap((address, at) => validateAddress(address, `${path}.addresses[${at}]`)),
      ...notReadyAddresses.flatMap((address, at) =>
        validateAddress(address, `${path}.notReadyAddresses[${at}]`),
      ),
      ...ports.flatMap((port, at) => validatePort(port, ports.length > 1, `${path}.ports[${at}]`)),
    ];
  });
}

function validateAddress(address: EndpointAddress, path: string): FieldError[] {
  return [
    ...ipAddress(address.ip, `${path}.ip`),
    ...optionalLabel(address.hostname, `${path}.hostname`),
    ...optionalSubdomain(address.nodeName, `${path}.nodeName`),
  ];
}

function validatePort(port: EndpointPort, needsName: boolean, path: string): FieldError[] {
  return [
    ...(needsName && !port.name ? [required(`${path}.name`)] : optionalLabel(port.name, `${path}.name`)),
    ...portNumber(port.port, `${path}.port`),
    ...oneOf(port.protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']),
  ];
}
