// What the tests of the neighbour and the processes that they start agree on.
import type { MachineConfig } from '../roles/machine.ts';
import type { NodeConnection } from './node-protocol.ts';

export const CONFIG: MachineConfig = {
  domain: 'cluster.local',
  serviceCidr: '10.96.0.0/16',
  dnsForward: [],
  allowedUnsafeSysctls: [],
  pressure: { thresholds: [], transitionPeriodMs: 0 },
};

const pair = { cert: 'c', key: 'k' };

/** To an API that is nowhere: nothing is asked of it here. */
export const connectionOf = (nodeName: string): NodeConnection => ({
  nodeName,
  server: 'https://127.0.0.1:1',
  ca: 'ca',
  node: pair,
  dns: pair,
});
