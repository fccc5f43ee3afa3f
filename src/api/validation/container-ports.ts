// Rules of containers' ports, and of ports on the node that two containers cannot share (pkg/apis/core/validation,
// validateContainerPorts, checkHostPortConflicts).
import { duplicate, type FieldError, invalidValue, required } from '../errors.ts';
import type { Container, ContainerPort } from '../generated/types.ts';
import { portName } from '../names.ts';
import { checked, oneOf, portNumber } from './field-rules.ts';

export function validateContainerPorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const { name = '', containerPort, hostPort = 0 } = port;
    const errors: FieldError[] = [];
    if (name !== '') {
      const bad = checked(name, `${at}.name`, portName);
      errors.push(...bad);
      if (bad.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    return [
      ...errors,
      ...(containerPort
        ? portNumber(containerPort, `${at}.containerPort`)
        : [required(`${at}.containerPort`)]),
      ...(hostPort === 0 ? [] : portNumber(hostPort, `${at}.hostPort`)),
      ...oneOf(port.protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP']),
    ];
  });
}

/** @param hostNetwork the containers listen on the node itself, so both numbers are the same. */
export function validateHostPorts(
  containers: readonly Container[],
  hostNetwork: boolean,
  path: string,
): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ protocol = 'TCP', hostIP = '', hostPort = 0, containerPort }, at) => {
      const field = `${path}[${index}].ports[${at}]`;
      const errors: FieldError[] = [];
      if (hostNetwork && hostPort !== containerPort) {
        const reason = 'must match `hostPort` when `hostNetwork` is true';
        errors.push(invalidValue(`${field}.containerPort`, containerPort, reason));
      }
      if (hostPort === 0) return errors;
      const id = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(id)) errors.push(duplicate(`${field}.hostPort`, id));
      taken.add(id);
      return errors;
    }),
  );
}
