import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, Service, ServiceSpec } from '../../api/generated/types.ts';
import { nameOf, type Stored } from '../../api/objects.ts';
import { serviceAddress } from '../../api/service-addresses.ts';
import { parseIpRange } from '../../base/ip.ts';
import { planDefaultRange } from './default-range.ts';
import { planAddress, planServiceAddress } from './plan.ts';

const MADE = '2026-01-01T00:00:00Z';
const NOW = Date.parse(MADE) + 30_000;
const meta = (name: string) => ({ name, uid: name, resourceVersion: '1', creationTimestamp: MADE });
const service = (name: string, spec: Partial<ServiceSpec>): Stored<Service> => ({
  metadata: { ...meta(name), namespace: 'n' },
  spec,
});
const ip = (name: string, owner: string): Stored<IPAddress> => {
  const { metadata, spec } = serviceAddress(name, { namespace: 'n', name: owner });
  return { metadata: { ...meta(name), ...metadata, name }, spec };
};
const range = parseIpRange('10.96.0.0/16');
assert.ok(range);

/** What is planned for the address of `a`, and said. */
function planned(name: string, addresses: Stored<IPAddress>[], others: Stored<Service>[] = []): string {
  const own = service('a', { clusterIPs: [name] });
  const plan = planServiceAddress(own, name, {
    ranges: range ? [range] : [],
    address: (wanted) => addresses.find(({ metadata }) => metadata.name === wanted),
    service: (key) => [own, ...others].find(({ metadata }) => nameOf(metadata) === nameOf(key)),
  });
  return 'message' in plan && plan.message ? `${plan.type} ${plan.reason}: ${plan.message}` : plan.type;
}

test('each address of a Service has its object', () => {
  const unlabelled = ip('10.96.0.9', 'a');
  const cases: [string, string][] = [
    [planned('10.96.0.9', [ip('10.96.0.9', 'a')]), 'nothing'],
    [planned('10.96.0.9', [{ ...unlabelled, metadata: meta('10.96.0.9') }]), 'replace'],
    [
      planned('10.96.0.9', []),
      'create ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.9 is not allocated; repairing',
    ],
    [
      planned('10.96.0.9', [ip('10.96.0.9', 'b')]),
      'replace ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.9 for Service n/a has a wrong reference; repairing',
    ],
    [
      planned('10.96.0.9', [ip('10.96.0.9', 'b')], [service('b', { clusterIPs: ['10.96.0.9'] })]),
      'complain ClusterIPAlreadyAllocated: Cluster IP [IPv4]:10.96.0.9 was assigned to multiple services; please recreate service',
    ],
    [
      planned('fd00::9', []),
      'complain ClusterIPOutOfRange: Cluster IP [IPv6]: fd00::9 is not within any configured Service CIDR; please recreate service',
    ],
    [planned('x', []), 'complain ClusterIPNotValid: Cluster IP x is not a valid IP; please recreate Service'],
  ];
  for (const [is, expected] of cases) assert.equal(is, expected);
});

test('each object has the Service that it names, or time to get it', () => {
  const typeOf = (object: Stored<IPAddress>, owner: Partial<ServiceSpec> | undefined, afterMs = 30_000) =>
    planAddress(object, () => owner && service('a', owner), NOW - 30_000 + afterMs).type;
  const object = ip('10.96.0.9', 'a');
  assert.equal(typeOf(object, { clusterIPs: ['10.96.0.9'] }), 'nothing');
  assert.equal(typeOf(object, undefined), 'wait');
  assert.equal(typeOf(object, undefined, 61_000), 'delete');
  assert.equal(typeOf(object, { type: 'ExternalName' }), 'wait');
  assert.equal(typeOf(object, { clusterIPs: ['10.96.0.8'] }, 4000), 'wait');
  assert.equal(typeOf(object, { clusterIPs: ['10.96.0.8'] }), 'delete');
  const foreign = { ...object, metadata: meta('10.96.0.9') };
  assert.equal(typeOf(foreign, undefined, 61_000), 'nothing');
  assert.equal(
    typeOf({ ...object, spec: { parentRef: { resource: 'gateways', name: 'g' } } }, undefined),
    'delete',
  );
});

test('the default range is made, gets a second family, and is left alone otherwise', () => {
  const found = (...cidrs: string[]) => ({ metadata: meta('kubernetes'), spec: { cidrs } });
  const both = ['10.96.0.0/16', 'fd00::/108'];
  assert.deepEqual(planDefaultRange(undefined, both), {
    type: 'create',
    object: { metadata: { name: 'kubernetes' }, spec: { cidrs: both } },
  });
  assert.equal(planDefaultRange(found(...both), both).type, 'nothing');
  const wider = planDefaultRange(found('10.96.0.0/16'), both);
  assert.deepEqual(wider.type === 'widen' && wider.object.spec.cidrs, both);
  assert.deepEqual(planDefaultRange(found('10.97.0.0/16'), both), {
    type: 'complain',
    message:
      'The default ServiceCIDR [10.97.0.0/16] does not match the controller flag configurations [10.96.0.0/16 fd00::/108]',
  });
});
