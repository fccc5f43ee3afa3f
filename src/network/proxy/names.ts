// The sets and maps that all Services share, and the chains that every table with Services has. How they are used is in
// frame.ts; what of a Service is in them, in plan.ts.
import type { Family } from './family.ts';

/** Addresses of Services: what their ports do not lead anywhere is refused. */
export const clusterIpsSet = ({ suffix }: Family): string => `cluster-ips${suffix}`;
/** Address, protocol and port → the chain that leads on. */
export const serviceIpsMap = ({ suffix }: Family): string => `service-ips${suffix}`;
/** Protocol and port on the machine's own addresses → the chain that leads on. */
export const nodePortsMap = ({ suffix }: Family): string => `node-ports${suffix}`;
/** Address, protocol and port → how they are refused. */
export const noEndpointsMap = ({ suffix }: Family): string => `no-endpoints${suffix}`;
/** Protocol and port on the machine's own addresses → how they are refused. */
export const noEndpointNodePortsMap = ({ suffix }: Family): string => `no-endpoint-node-ports${suffix}`;
/** Address, protocol and port → the chain that says who may come. */
export const firewallMap = ({ suffix }: Family): string => `firewall${suffix}`;
/** Endpoints, twice: a connection from one to itself must not see its own address as the other's. */
export const hairpinSet = ({ suffix }: Family): string => `hairpin${suffix}`;

/** Refuses at once. */
export const REJECT_CHAIN = 'reject-new';
/** The packet's source becomes the machine: its answer comes back here. */
export const MASQUERADE = 'meta mark set meta mark or 0x4000';
