import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, ServiceCIDR } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { serviceAddress } from '../../api/service-addresses.ts';
import { FINALIZER, planServiceCidr } from './plan.ts';

const NOW = Date.parse('2026-01-01T00:01:00Z');
const meta = (name: string) => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});
const cidr = (name: string, cidrs: string[], more: object = {}): Stored<ServiceCIDR> => ({
  metadata: { ...meta(name), finalizers: [FINALIZER], ...more },
  spec: { cidrs },
});
const GOING = { deletionTimestamp: '2026-01-01T00:00:30Z' };
const ip = (name: string): Stored<IPAddress> => {
  const { metadata, spec } = serviceAddress(name, { namespace: 'default', name: 'a' });
  return { metadata: { ...meta(name), ...metadata, name }, spec };
};
const typeOf = (
  object: Stored<ServiceCIDR>,
  others: Stored<ServiceCIDR>[] = [],
  addresses: Stored<IPAddress>[] = [],
  nowMs = NOW,
): string => planServiceCidr(object, [object, ...others], addresses, nowMs).type;

test('one that is there is protected, and says that it is ready, once', () => {
  assert.equal(typeOf(cidr('a', ['10.0.0.0/24'], { finalizers: [] })), 'protect');
  const plan = planServiceCidr(cidr('a', ['10.0.0.0/24']), [], [], NOW);
  assert.ok(plan.type === 'report');
  assert.deepEqual(
    [plan.condition.status, plan.condition.message],
    ['True', 'Kubernetes Service CIDR is ready'],
  );
  const ready = { ...cidr('a', ['10.0.0.0/24']), status: { conditions: [plan.condition] } };
  assert.equal(typeOf(ready), 'nothing');
});

test('one that is deleted goes after ten seconds, when no address is in no other', () => {
  const going = cidr('a', ['10.0.0.0/24', 'fd00::/120'], GOING);
  assert.equal(typeOf(going), 'release');
  const soon = planServiceCidr(going, [going], [], Date.parse('2026-01-01T00:00:33Z'));
  assert.deepEqual(soon, { type: 'wait', ms: 7000 });
  // The network's own address, one elsewhere and one of somebody else do not count.
  const foreign = { ...ip('10.0.0.7'), metadata: meta('10.0.0.7') };
  assert.equal(typeOf(going, [], [ip('10.0.0.0'), ip('10.0.1.1'), foreign]), 'release');
  for (const held of ['10.0.0.7', 'fd00::7']) {
    const plan = planServiceCidr(going, [going], [ip(held)], NOW);
    assert.ok(plan.type === 'report');
    assert.deepEqual([plan.condition.status, plan.condition.reason], ['False', 'Terminating']);
  }
  assert.equal(typeOf(going, [cidr('b', ['10.0.0.0/25'])], [ip('10.0.0.7')]), 'release');
  assert.equal(typeOf(going, [cidr('b', ['10.0.0.0/29'])], [ip('10.0.0.7')]), 'report');
  assert.equal(
    typeOf(going, [cidr('b', ['10.0.0.0/16']), cidr('c', ['fd00::/64'])], [ip('fd00::7')]),
    'release',
  );
});
