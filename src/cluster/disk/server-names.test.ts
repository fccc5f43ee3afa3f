import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { machineAddresses } from '../process/machine-addresses.ts';
import { serverNames } from './server-names.ts';

test('the server is called by every name and address that leads to it, each once', () => {
  const names = serverNames('10.96.0.0/16', 'cluster.local', '192.0.2.7', '10.244.0.1');
  assert.deepEqual(names, [
    ...['localhost', '127.0.0.1', '::1', hostname()],
    ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    ...['10.96.0.1', '192.0.2.7', '10.244.0.1'],
  ]);
  const own = serverNames('10.96.0.0/16', 'cluster.local', '127.0.0.1', undefined);
  assert.deepEqual(own, names.slice(0, 9));
  const everywhere = serverNames('10.96.0.0/16', 'cluster.local', '0.0.0.0', undefined);
  assert.deepEqual(everywhere, [...own, ...machineAddresses()]);
});
