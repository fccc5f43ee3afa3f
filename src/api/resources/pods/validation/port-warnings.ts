// Warnings about ports of a pod's containers that get in each other's way (pkg/api/pod/warnings.go).
import type { ContainerPort, PodSpec } from '../../../generated/types.ts';
import { eachContainer } from './all-containers.ts';

interface Placed {
  port: ContainerPort;
  path: string;
}

/** @param path of the pod's spec. */
export function portWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const all = new Map<string, Placed[]>();
  for (const [{ ports = [] }, container] of eachContainer(spec, path)) {
    for (const [index, port] of ports.entries()) {
      const at = `${container}.ports[${index}]`;
      if (port.hostIP && !port.hostPort) {
        warnings.push(`${at}: hostIP set without hostPort: ${asUpstreamPrints(port)}`);
      }
      const key = `${port.containerPort}/${port.protocol}`;
      const others = all.get(key);
      if (!others) {
        all.set(key, [{ port, path: at }]);
        continue;
      }
      for (const other of others) {
        const how = clash(port, other.port);
        if (how) warnings.push(`${at}: ${how} port definition with ${other.path}`);
      }
      others.push({ port, path: at });
    }
  }
  return warnings;
}

/** How two definitions of one port go together, in one word. */
function clash(a: ContainerPort, b: ContainerPort): string | undefined {
  const { hostIP = '', hostPort = 0 } = a;
  const { hostIP: otherIP = '', hostPort: otherPort = 0 } = b;
  if (hostIP === otherIP && hostPort === otherPort) return 'duplicate';
  if (hostPort === 0 || otherPort === 0) return 'overlapping';
  const oneIsOpen = (hostIP === '') !== (otherIP === '');
  return hostPort === otherPort && oneIsOpen ? 'dangerously ambiguous' : undefined;
}

/** Upstream prints its own type here, not the manifest's. */
function asUpstreamPrints(port: ContainerPort): string {
  const { name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' } = port;
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
}
