// A part of the node's own admission: a pod whose host ports are taken is refused, as the scheduler would have
// (kubelet lifecycle/predicate.go). Pure.
import type { Pod } from '../../api/generated/types.ts';

/** `TCP/0.0.0.0/8080` for each host port. */
function hostPortsOf(pod: Pod): Array<{ protocol: string; ip: string; port: number }> {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) =>
    (container.ports ?? []).flatMap((port) => {
      const number = port.hostPort ?? (pod.spec.hostNetwork ? port.containerPort : undefined);
      return number ? [{ protocol: port.protocol ?? 'TCP', ip: port.hostIP || '0.0.0.0', port: number }] : [];
    }),
  );
}

/** Why the node refuses the pod beside those that are active on it, which few pods need to know; undefined: it takes it. */
export function rejectionOf(
  pod: Pod,
  active: () => readonly Pod[],
): { reason: string; message: string } | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const taken = active().flatMap(hostPortsOf);
  const clash = wanted.some((a) =>
    taken.some(
      (b) =>
        a.port === b.port &&
        a.protocol === b.protocol &&
        (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0'),
    ),
  );
  if (!clash) return undefined;
  return {
    reason: 'NodePorts',
    message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  };
}
