// The node ports that a Service has, of which there is one each. Pure; who gives them is elsewhere.
import type { ServiceSpec } from '../../../api/generated/types.ts';
import { mayHaveNodePorts, needsHealthCheck } from '../../../api/resources/services/needs.ts';

/** The node ports of its ports. */
export const nodePortsOf = (spec: ServiceSpec): number[] =>
  mayHaveNodePorts(spec) ? (spec.ports ?? []).flatMap(({ nodePort }) => nodePort || []) : [];

/** Its node ports, each once, and the port that is asked for its health. */
export function portsOf(spec: ServiceSpec): number[] {
  const health = needsHealthCheck(spec) && spec.healthCheckNodePort ? [spec.healthCheckNodePort] : [];
  return [...new Set([...nodePortsOf(spec), ...health])];
}
