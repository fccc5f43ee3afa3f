// What of which there is one each a Service of a type needs: addresses, node ports, a port that is asked for its health
// (pkg/registry/core/service/storage, needsClusterIP and those beside it).
import type { ServiceSpec } from '../../generated/types.ts';

/** Whether it has an address, or says that it has none. */
export const needsClusterIP = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';

/** Whether it may have node ports. */
export const mayHaveNodePorts = ({ type }: ServiceSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer';

/** Whether each of its ports gets a node port, asked for or not. */
export const needsNodePort = ({ type, allocateLoadBalancerNodePorts: allocate }: ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocate !== false);

/** Whether a balancer outside asks each node if it has a pod of the service. */
export const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
