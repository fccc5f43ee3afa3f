import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { orUndefined } from '../../api/errors.ts';
import type { Service, ServiceSpec } from '../../api/generated/types.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { runLoadBalancerController } from './controller.ts';
import { FINALIZER } from './plan.ts';
import { type AddressPool, parseAddressRange } from './pool.ts';

const CLAIMS = { namespace: 'kube-system', name: 'load-balancer-addresses' };
const MACHINE = '203.0.113.7';

describe('Services of type LoadBalancer', () => {
  let cluster: TestControlPlane;
  const keyOf = (name: string) => ({ namespace: 'default', name });
  const get = (name: string) => orUndefined(cluster.client.get(services, keyOf(name)));
  const addressOf = async (name: string): Promise<string | undefined> =>
    (await get(name))?.status?.loadBalancer?.ingress?.map(({ ip }) => ip).join();
  const has = (name: string, address: string | undefined): Promise<void> =>
    cluster.until(async () => (await addressOf(name)) === address, `${name} has ${address}`);
  const isTold = (name: string, what: string): Promise<void> =>
    cluster.until(async () => (await cluster.eventsOf(name)).some((event) => event.includes(what)), what);
  const claims = async () => (await cluster.client.get(configMaps, CLAIMS)).data ?? {};
  const make = (name: string, port: number, spec: Partial<ServiceSpec> = {}): Promise<Service> =>
    cluster.client.create<Service>(services, {
      metadata: keyOf(name),
      spec: { type: 'LoadBalancer', selector: { app: name }, ports: [{ port }], ...spec },
    });
  const change = (name: string, spec: object): Promise<Service> =>
    cluster.client.patch(services, keyOf(name), { type: 'merge', body: { spec } });
  const run = (pool: AddressPool): void =>
    cluster.run(runLoadBalancerController(cluster.contextOf('load-balancer'), pool));
  const range = (text: string): AddressPool => parseAddressRange(text) ?? assert.fail(text);

  beforeEach(async () => {
    cluster = await startTestControlPlane();
    await cluster.client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });
    await cluster.addNode('one', { addresses: [{ type: 'InternalIP', address: MACHINE }] });
  });
  afterEach(async () => {
    await cluster.stop();
    assert.deepEqual(cluster.complaints, []);
  });

  it('share the machine’s address by their ports; who comes second waits, and is told for whom', async () => {
    run({ type: 'machine' });
    await make('web', 443);
    await has('web', MACHINE);
    assert.deepEqual((await get('web'))?.metadata.finalizers, [FINALIZER]);
    await isTold('web', 'EnsuredLoadBalancer');
    await make('mail', 25);
    await has('mail', MACHINE);
    await make('other', 443);
    await isTold('other', 'port 443/TCP of this machine is the Service default/web’s');
    assert.equal(await addressOf('other'), undefined);
    await make('names', 443, { ports: [{ port: 443, protocol: 'UDP' }] });
    await has('names', MACHINE);
    await cluster.client.delete(services, keyOf('web'));
    await has('other', MACHINE);
    assert.equal(await get('web'), undefined);
    assert.deepEqual(Object.keys(await claims()).sort(), ['TCP.25', 'TCP.443', 'UDP.443']);
    const { items } = await cluster.client.list(services);
    const of = (name: string) => items.find(({ metadata }) => metadata.name === name)?.metadata.uid;
    assert.equal((await claims())['TCP.443'], `default/other ${of('other')}`);
  });

  it('give up what they no longer ask for', async () => {
    run({ type: 'machine' });
    await make('web', 443);
    await has('web', MACHINE);
    await make('other', 443);
    await change('web', { ports: [{ port: 8443 }] });
    await has('other', MACHINE);
    await has('web', MACHINE);
    await change('other', { type: 'ClusterIP' });
    await has('other', undefined);
    assert.equal((await get('other'))?.metadata.finalizers, undefined);
    await cluster.until(async () => !('TCP.443' in (await claims())), 'the port is free');
  });

  it('have an address of a range each, the one that they ask for if it is free', async () => {
    run(range('192.0.2.0/29'));
    for (const name of ['a', 'b']) await make(name, 80);
    await has('a', '192.0.2.1');
    await has('b', '192.0.2.2');
    await make('c', 80, { loadBalancerIP: '192.0.2.5' });
    await has('c', '192.0.2.5');
    await make('d', 80, { loadBalancerIP: '192.0.2.1' });
    await isTold('d', '192.0.2.1 is the Service default/a’s');
    await make('e', 80, { loadBalancerIP: '198.51.100.1' });
    await isTold('e', 'spec.loadBalancerIP 198.51.100.1 is none of 192.0.2.0/29');
    for (const name of ['f', 'g', 'h', 'i']) await make(name, 80);
    await isTold('i', 'no address of 192.0.2.0/29 is free');
    await cluster.client.delete(services, keyOf('a'));
    await has('d', '192.0.2.1');
    await cluster.client.delete(services, keyOf('c'));
    await has('i', '192.0.2.5');
  });

  it('keep theirs whatever becomes of what is written down', async () => {
    run(range('192.0.2.0/29'));
    for (const name of ['a', 'b']) await make(name, 80);
    await has('b', '192.0.2.2');
    const before = await claims();
    await cluster.client.delete(configMaps, CLAIMS);
    await cluster.until(async () => (await orUndefined(claims())) !== undefined, 'it is written again');
    assert.deepEqual(await claims(), before);
    assert.deepEqual([await addressOf('a'), await addressOf('b')], ['192.0.2.1', '192.0.2.2']);
    await cluster.client.patch(
      services,
      keyOf('b'),
      { type: 'merge', body: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } } },
      { subresource: 'status' },
    );
    await has('b', '192.0.2.2');
  });

  it('of a class are somebody else’s, and so are all when nobody is to be given any', async () => {
    await make('classed', 443, { loadBalancerClass: 'example.com/other' });
    await cluster.client.patch(services, keyOf('classed'), {
      type: 'merge',
      body: { metadata: { finalizers: [FINALIZER] } },
    });
    run({ type: 'machine' });
    await make('web', 80);
    await has('web', MACHINE);
    assert.equal(await addressOf('classed'), undefined);
    assert.deepEqual((await get('classed'))?.metadata.finalizers, [FINALIZER]);
  });

  it('lose what they were given when it is turned off, and nothing that others gave them', async () => {
    await make('web', 443);
    await make('foreign', 80);
    const foreign = {
      type: 'merge' as const,
      body: { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } } },
    };
    await cluster.client.patch(services, keyOf('foreign'), foreign, { subresource: 'status' });
    const { uid } = (await get('web'))?.metadata ?? assert.fail();
    await cluster.client.create(configMaps, { metadata: CLAIMS, data: { 'TCP.443': `default/web ${uid}` } });
    const body = {
      metadata: { finalizers: [FINALIZER] },
      status: { loadBalancer: { ingress: [{ ip: MACHINE }] } },
    };
    await cluster.client.patch(services, keyOf('web'), { type: 'merge', body }, { subresource: 'status' });
    run({ type: 'none' });
    await has('web', undefined);
    assert.equal((await get('web'))?.metadata.finalizers, undefined);
    assert.equal(await addressOf('foreign'), '198.51.100.9');
    await cluster.until(async () => Object.keys(await claims()).length === 0, 'nothing is claimed');
  });

  it('give back their other addresses and ports, too, when they are deleted', async () => {
    run({ type: 'machine' });
    const { spec } = await make('web', 443);
    await has('web', MACHINE);
    await cluster.client.delete(services, keyOf('web'));
    await cluster.until(async () => (await get('web')) === undefined, 'it is gone');
    const nodePort = spec.ports?.[0]?.nodePort;
    assert.ok(nodePort && spec.clusterIP);
    const again = await make('again', 80, { clusterIP: spec.clusterIP, ports: [{ port: 80, nodePort }] });
    assert.deepEqual([again.spec.clusterIP, again.spec.ports?.[0]?.nodePort], [spec.clusterIP, nodePort]);
    const without = await make('without', 81, { allocateLoadBalancerNodePorts: false });
    assert.equal(without.spec.ports?.[0]?.nodePort, undefined);
  });
});
