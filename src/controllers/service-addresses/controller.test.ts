import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orUndefined } from '../../api/errors.ts';
import type { IPAddress, ServiceSpec } from '../../api/generated/types.ts';
import { nameOf, type Stored } from '../../api/objects.ts';
import { ipAddresses } from '../../api/resources/ip-addresses/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceCidrs } from '../../api/resources/service-cidrs/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { serviceAddress, serviceOf } from '../../api/service-addresses.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { runServiceAddressesController } from './controller.ts';

async function withRepair(
  act: (cluster: TestControlPlane) => Promise<void>,
  before: (cluster: TestControlPlane) => Promise<void> = async () => {},
): Promise<void> {
  const cluster = await startTestControlPlane();
  try {
    await cluster.client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });
    await before(cluster);
    cluster.run(runServiceAddressesController(cluster.contextOf('service-addresses'), ['10.96.0.0/16']));
    await act(cluster);
    assert.deepEqual(cluster.complaints, []);
  } finally {
    await cluster.stop();
  }
}

const service = (name: string, spec: Partial<ServiceSpec> = {}) => ({
  metadata: { namespace: 'default', name },
  spec: { ports: [{ port: 80 }], ...spec },
});
const find = ({ client }: TestControlPlane, name: string): Promise<Stored<IPAddress> | undefined> =>
  orUndefined(client.get(ipAddresses, { name }));
const ownerOf = async (cluster: TestControlPlane, name: string): Promise<string | undefined> => {
  const found = await find(cluster, name);
  return found && nameOf(serviceOf(found) ?? {});
};

test('an address that somebody deletes is made again, and said', () =>
  withRepair(async (cluster) => {
    const { spec } = await cluster.client.create(services, service('a'));
    const name = spec.clusterIP ?? '';
    await cluster.client.delete(ipAddresses, { name });
    await cluster.until(async () => (await ownerOf(cluster, name)) === 'default/a', 'it is there again');
    await cluster.until(async () => (await cluster.eventsOf('a')).length > 0, 'it was said');
    assert.deepEqual(await cluster.eventsOf('a'), [
      `ClusterIPNotAllocated: Cluster IP [IPv4]: ${name} is not allocated; repairing`,
    ]);
  }));

test('an address that is another one’s is taken back; one without its labels is made anew', () =>
  withRepair(
    async (cluster) => {
      await cluster.until(
        async () => (await ownerOf(cluster, '10.96.0.9')) === 'default/a',
        'it is taken back',
      );
      await cluster.until(
        async () => (await find(cluster, '10.96.0.10'))?.metadata.labels !== undefined,
        'it has labels',
      );
      await cluster.until(async () => (await cluster.eventsOf('a')).length > 0, 'it was said');
      assert.deepEqual(await cluster.eventsOf('a'), [
        'ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.9 for Service default/a has a wrong reference; repairing',
      ]);
    },
    async ({ client }) => {
      await client.create(services, service('a', { clusterIP: '10.96.0.9' }));
      await client.create(services, service('b', { clusterIP: '10.96.0.10' }));
      for (const name of ['10.96.0.9', '10.96.0.10']) await client.delete(ipAddresses, { name });
      const gone = { namespace: 'default', name: 'gone' };
      await client.create(ipAddresses, serviceAddress('10.96.0.9', gone));
      const { spec } = serviceAddress('10.96.0.10', { namespace: 'default', name: 'b' });
      await client.create(ipAddresses, { metadata: { name: '10.96.0.10' }, spec });
    },
  ));

test('an address of which the server died before the Service was written is free again after a minute', () =>
  withRepair(async (cluster) => {
    const { client, clock } = cluster;
    await client.create(ipAddresses, serviceAddress('10.96.0.9', { namespace: 'default', name: 'lost' }));
    await cluster.until(() => true, 'it is seen');
    const startMs = clock.now();
    await assert.rejects(
      client.create(services, service('a', { clusterIP: '10.96.0.9' })),
      /already allocated/,
    );
    await cluster.until(async () => (await find(cluster, '10.96.0.9')) === undefined, 'it is free');
    assert.ok(clock.now() - startMs > 59_000);
    await client.create(services, service('a', { clusterIP: '10.96.0.9' }));
    await cluster.until(async () => (await cluster.eventsOf('10.96.0.9')).length > 0, 'it was said');
    assert.deepEqual(await cluster.eventsOf('10.96.0.9'), [
      'IPAddressNotAllocated: IPAddress: 10.96.0.9 for Service default/lost appears to have leaked: cleaning up',
    ]);
  }));

test('an address that its Service has not is taken away; one of somebody else is left alone', () =>
  withRepair(async (cluster) => {
    const { client } = cluster;
    await client.create(services, service('a'));
    await client.create(ipAddresses, serviceAddress('10.96.0.9', { namespace: 'default', name: 'a' }));
    const spec = { parentRef: { group: 'example.com', resource: 'gateways', name: 'g' } };
    await client.create(ipAddresses, { metadata: { name: '10.96.0.10' }, spec });
    await cluster.until(async () => (await find(cluster, '10.96.0.9')) === undefined, 'it is taken away');
    assert.ok(await find(cluster, '10.96.0.10'));
  }));

test('nothing is said and nothing done while Services come, change and go', () =>
  withRepair(async (cluster) => {
    const { client } = cluster;
    for (let round = 0; round < 5; round++) {
      const made = await client.create(services, service('a'));
      const external = { type: 'ExternalName', externalName: 'example.com' };
      const changed = await client.update(services, { ...made, spec: { ...made.spec, ...external } });
      await client.update(services, { ...changed, spec: { ...changed.spec, type: 'ClusterIP' } });
      await client.delete(services, { namespace: 'default', name: 'a' });
      if (round % 2 === 0) await cluster.until(() => true, 'it is seen');
    }
    const startMs = cluster.clock.now();
    await cluster.until(() => cluster.clock.now() - startMs > 70_000, 'a minute has passed');
    assert.deepEqual(await cluster.eventsOf('a'), []);
    const { items } = await client.list(ipAddresses);
    assert.deepEqual(items, []);
  }));

test('a Service whose address lies in no range is told so, until there is one', () =>
  withRepair(
    async (cluster) => {
      await cluster.until(async () => (await cluster.eventsOf('a')).length > 0, 'it was said');
      assert.deepEqual(await cluster.eventsOf('a'), [
        'ClusterIPOutOfRange: Cluster IP [IPv4]: 10.99.0.9 is not within any configured Service CIDR; please recreate service',
      ]);
      const range = { metadata: { name: 'more' }, spec: { cidrs: ['10.99.0.0/24'] } };
      await cluster.client.create(serviceCidrs, range);
      await cluster.until(
        async () => (await ownerOf(cluster, '10.99.0.9')) === 'default/a',
        'it has its address',
      );
    },
    async ({ client }) => {
      const range = { metadata: { name: 'old' }, spec: { cidrs: ['10.99.0.0/24'] } };
      await client.create(serviceCidrs, range);
      await client.create(services, service('a', { clusterIP: '10.99.0.9' }));
      await client.delete(serviceCidrs, { name: 'old' });
      await client.delete(ipAddresses, { name: '10.99.0.9' });
    },
  ));
