// Rules of containers' ports, and of ports on the node that two containers cannot share (pkg/apis/core/validation,
// validateContainerPorts, checkHostPortConflicts).
import { duplicate, type FieldError, required } from '../../../errors.ts';
import type { Container, ContainerPort } from '../../../generated/types.ts';
import { portName } from '../../../names.ts';
import { checked, oneOf, portNumber } from '../../../validation/field-rules.ts';

const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];

export function validateContainerPorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  if (ports.length === 0) return [];
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
      ...oneOf(port.protocol, `${at}.protocol`, PROTOCOLS),
    ];
  });
}

/** Ports of the node that two of the containers would both take. */
export function validateHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, { ports = [] }] of containers.entries()) {
    for (const [at, { protocol = 'TCP', hostIP = '', hostPort = 0 }] of ports.entries()) {
      if (hostPort === 0) continue;
      const id = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(id)) errors.push(duplicate(`${path}[${index}].ports[${at}].hostPort`, id));
      taken.add(id);
    }
  }
  return errors;
}
