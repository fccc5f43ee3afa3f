import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { portComplaints } from './port-plan.ts';

const service = (name: string, ...nodePorts: number[]): Stored<Service> => ({
  metadata: {
    namespace: 'n',
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { type: 'NodePort', ports: nodePorts.map((nodePort) => ({ port: nodePort, nodePort })) },
});

test('a port is of the range, and of one Service', () => {
  const [a, b] = [service('a', 30_001, 30_002), service('b', 30_002, 80)];
  const having = (port: number) =>
    [a, b].filter(({ spec }) => spec.ports?.some(({ nodePort }) => nodePort === port));
  assert.deepEqual(portComplaints(a, having), []);
  assert.deepEqual(portComplaints(b, having), [
    {
      reason: 'PortAlreadyAllocated',
      message: 'Port 30002 was assigned to multiple services; please recreate service',
    },
    {
      reason: 'PortOutOfRange',
      message: 'Port 80 is not within the port range 30000-32767; please recreate service',
    },
  ]);
});
