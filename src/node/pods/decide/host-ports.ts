// Which ports of the host a pod takes, and whether another has them already. Pure.
import type { Pod } from '../../../api/generated/types.ts';

/** `TCP/0.0.0.0/8080` for each host port. */
function hostPortsOf(pod: Pod): Array<{ protocol: string; ip: string; port: number }> {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) =>
    (container.ports ?? []).flatMap((port) => {
      const number = port.hostPort ?? (pod.spec.hostNetwork ? port.containerPort : undefined);
      return number ? [{ protocol: port.protocol ?? 'TCP', ip: port.hostIP || '0.0.0.0', port: number }] : [];
    }),
  );
}

/** Whether a pod asks for a port of the host that one of those that are active has. */
export function hostPortsClash(pod: Pod, active: () => readonly Pod[]): boolean {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return false;
  const taken = active().flatMap(hostPortsOf);
  return wanted.some((a) =>
    taken.some(
      (b) =>
        a.port === b.port &&
        a.protocol === b.protocol &&
        (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0'),
    ),
  );
}
