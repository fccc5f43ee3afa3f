// What may stand in Endpoints (pkg/apis/core/validation, ValidateEndpoints).
import { type FieldError, required } from '../../errors.ts';
import type { EndpointAddress, EndpointPort, Endpoints } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import {
  checked,
  oneOf,
  optionalLabel,
  optionalSubdomain,
  portNumber,
} from '../../validation/field-rules.ts';
import { reachableAddress } from '../../validation/ip-rules.ts';

const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];

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
    ...reachableAddress(address.ip, `${path}.ip`),
    ...optionalLabel(address.hostname, `${path}.hostname`),
    ...optionalSubdomain(address.nodeName, `${path}.nodeName`),
  ];
}

function validatePort(port: EndpointPort, needsName: boolean, path: string): FieldError[] {
  const { name, appProtocol } = port;
  return [
    ...(needsName && !name ? [required(`${path}.name`)] : optionalLabel(name, `${path}.name`)),
    ...portNumber(port.port, `${path}.port`),
    ...oneOf(port.protocol, `${path}.protocol`, PROTOCOLS),
    ...(appProtocol === undefined ? [] : checked(appProtocol, `${path}.appProtocol`, qualifiedName)),
  ];
}
