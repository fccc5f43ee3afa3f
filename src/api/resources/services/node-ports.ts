// The node ports that a Service has, of which there is one each, and the range that they are of. Pure; who gives them is
// elsewhere.
import type { ServiceSpec } from '../../generated/types.ts';
import { mayHaveNodePorts, needsHealthCheck } from './needs.ts';

/** The node ports that there are, both ends included. */
export const NODE_PORTS = { first: 30_000, last: 32_767 };

/** The node ports of its ports. */
export const nodePortsOf = (spec: ServiceSpec): number[] =>
  mayHaveNodePorts(spec) ? (spec.ports ?? []).flatMap(({ nodePort }) => nodePort || []) : [];

/** Its node ports, each once, and the port that is asked for its health. */
export function portsOf(spec: ServiceSpec): number[] {
  const health = needsHealthCheck(spec) && spec.healthCheckNodePort ? [spec.healthCheckNodePort] : [];
  return [...new Set([...nodePortsOf(spec), ...health])];
}
