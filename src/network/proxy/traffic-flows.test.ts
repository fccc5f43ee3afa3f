// What the rules do to packets: from pods, from the machine itself and from a neighbour, over the kernel. What rules are
// planned is plan.test.ts's business.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { EndpointSlice, Service, ServiceSpec } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { silentLog } from '../../base/log.ts';
import { removeTable } from '../nftables/existing.ts';
import { merge } from '../nftables/ruleset.ts';
import { NftTable } from '../nftables/table.ts';
import { MACHINE_IP, makeMachine, NEIGHBOUR_IP, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { IPV4, IPV6 } from './family.ts';
import { frame } from './frame.ts';
import { planService } from './plan.ts';

type Place = TestMachine['host'];

const VIP = '10.96.0.10';
const GATEWAY = '10.244.0.1';

const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

function serviceOf(spec: Partial<ServiceSpec>, protocol: string, status: Service['status']): Stored<Service> {
  return {
    metadata: { ...meta, namespace: 'default', name: 'web' },
    spec: {
      clusterIP: VIP,
      clusterIPs: [VIP],
      type: 'ClusterIP',
      ports: [{ port: 80, protocol, targetPort: 8080, ...(spec.type && { nodePort: 30_080 }) }],
      ...spec,
    },
    ...(status && { status }),
  };
}

/** Endpoints by their last octet; those after a `-` are on another node. */
function sliceOf(numbers: readonly number[], protocol: string, addressType = 'IPv4'): Stored<EndpointSlice> {
  return {
    metadata: { ...meta, namespace: 'default', name: 'web-1' },
    addressType,
    ports: [{ name: '', port: 8080, protocol }],
    endpoints: numbers.map((number) => ({
      addresses: [addressType === 'IPv4' ? `10.244.0.${Math.abs(number)}` : `fd00:244::${number}`],
      nodeName: number < 0 ? 'other' : 'here',
    })),
  };
}

describe('traffic to a Service', { skip: whyNoMachine ?? false, timeout: 120_000 }, () => {
  let machine: TestMachine;
  let table: NftTable;
  let host: Place;
  let neighbour: Place;
  let one: Place;

  const options = {
    bridge: 'stead0',
    families: [IPV4, IPV6],
    nodeName: 'here',
    nodeIps: [MACHINE_IP],
    zone: undefined,
    podRanges: ['10.244.0.0/20'],
    serviceRanges: [{ cidr: '10.96.0.0/16', family: IPV4, onHost: true }],
  };
  const apply = async (
    endpoints: readonly number[],
    spec: Partial<ServiceSpec> = {},
    protocol = 'TCP',
    status?: Service['status'],
  ): Promise<void> => {
    const slices = [sliceOf(endpoints, protocol), sliceOf(endpoints, protocol, 'IPv6')];
    const plan = planService(serviceOf(spec, protocol, status), { pods: [], slices }, options);
    assert.ok(plan);
    table.set('services', merge([frame(options), plan.rules]));
    await table.settled();
  };

  before(async () => {
    machine = await makeMachine();
    ({ host, neighbour } = machine);
    one = await machine.addPod('one', 11);
    await machine.addPod('two', 12);
    await host.serve('host', 9090);
    table = new NftTable(
      { ...machine, log: silentLog, random: { next: () => 0.5, uuid: () => '' } },
      { table: 'stead', owner: 'test' },
    );
  });
  after(async () => {
    await table?.close();
    await machine?.end();
  });
  beforeEach(() => machine.run('conntrack', ['-F']).catch(() => ''));

  it('by its ClusterIP reaches a pod, from a pod under its own address, and from the machine', async () => {
    await apply([12]);
    assert.equal(await one.ask(VIP, 80), 'two 10.244.0.11');
    assert.equal(await host.ask(VIP, 80), `two ${GATEWAY}`);
    assert.equal(await neighbour.ask(VIP, 80), `two ${GATEWAY}`);
  });

  it('is spread over all endpoints', async () => {
    await apply([11, 12]);
    const answers = new Set<string>();
    while (answers.size < 2) answers.add((await host.ask(VIP, 80)).split(' ')[0] ?? '');
    assert.deepEqual([...answers].sort(), ['one', 'two']);
  });

  it('reaches the pod itself that asks', async () => {
    await apply([11]);
    assert.equal(await one.ask(VIP, 80), `one ${GATEWAY}`);
  });

  it('goes over UDP as over TCP', async () => {
    await apply([12], {}, 'UDP');
    assert.equal(await one.ask(VIP, 80, { protocol: 'udp' }), 'two 10.244.0.11');
    assert.equal(await host.ask(VIP, 80, { protocol: 'udp' }), `two ${GATEWAY}`);
  });

  it('of SCTP has its rules, whether the kernel has the protocol or not', async () => {
    await apply([12], {}, 'SCTP');
    assert.match(
      await machine.run('nft', ['list', 'table', 'inet', 'stead']),
      /meta l4proto sctp dnat ip to/,
    );
  });

  it('goes over IPv6 as over IPv4', async () => {
    await apply([12], { clusterIP: 'fd00:96::10', clusterIPs: ['fd00:96::10'] });
    assert.equal(await one.ask('fd00:96::10', 80), 'two fd00:244::11');
    await apply([11], { clusterIP: 'fd00:96::10', clusterIPs: ['fd00:96::10'] });
    assert.equal(await one.ask('fd00:96::10', 80), 'one fd00:244::1');
  });

  it('is refused at once where there is no endpoint, at other ports, and at addresses that nobody has', async () => {
    await apply([]);
    for (const place of [one, host]) {
      assert.equal(await place.ask(VIP, 80), 'refused');
      assert.equal(await place.ask(VIP, 81), 'refused');
      assert.equal(await place.ask('10.96.200.1', 80), 'refused');
    }
    assert.equal(await one.ask('10.96.200.1', 80, { protocol: 'udp' }), 'refused');
    await apply([12]);
    assert.equal(await one.ask(VIP, 81), 'refused');
    await apply([], { type: 'NodePort' });
    for (const place of [one, host, neighbour]) assert.equal(await place.ask(MACHINE_IP, 30_080), 'refused');
  });

  it('by its node port reaches a pod from everywhere, but not by loopback', async () => {
    await apply([12], { type: 'NodePort', externalTrafficPolicy: 'Cluster' });
    for (const place of [one, host, neighbour]) {
      assert.equal(await place.ask(MACHINE_IP, 30_080), `two ${GATEWAY}`);
    }
    assert.equal(await host.ask('127.0.0.1', 30_080), 'refused');
  });

  it('keeps the source address with externalTrafficPolicy Local, and is dropped without a pod here', async () => {
    await apply([12], { type: 'NodePort', externalTrafficPolicy: 'Local' });
    assert.equal(await neighbour.ask(MACHINE_IP, 30_080), `two ${NEIGHBOUR_IP}`);
    await apply([-12], { type: 'NodePort', externalTrafficPolicy: 'Local' });
    assert.equal(await neighbour.ask(MACHINE_IP, 30_080, { silence: true }), 'nothing');
    // What pods and the machine send goes to any endpoint.
    assert.equal(await one.ask(MACHINE_IP, 30_080), 'two 10.244.0.11');
    assert.equal(await host.ask(MACHINE_IP, 30_080), `two ${GATEWAY}`);
  });

  it('by its ClusterIP is dropped with internalTrafficPolicy Local and no pod here', async () => {
    await apply([-12], { internalTrafficPolicy: 'Local' });
    assert.equal(await one.ask(VIP, 80, { silence: true }), 'nothing');
    await apply([-12, 11], { internalTrafficPolicy: 'Local' });
    assert.equal(await host.ask(VIP, 80), `one ${GATEWAY}`);
  });

  it('by external addresses and a load balancer’s reaches a pod; others than the source ranges are dropped', async () => {
    await apply([12], { externalIPs: ['203.0.113.7'] });
    assert.equal(await neighbour.ask('203.0.113.7', 80), `two ${GATEWAY}`);
    assert.equal(await one.ask('203.0.113.7', 80), `two ${GATEWAY}`);
    const balancer = { loadBalancer: { ingress: [{ ip: MACHINE_IP, ipMode: 'VIP' }] } };
    const of = (loadBalancerSourceRanges: string[]): Partial<ServiceSpec> => ({
      type: 'LoadBalancer',
      loadBalancerSourceRanges,
    });
    await apply([12], of([`${NEIGHBOUR_IP}/32`, '192.0.2.0/24']), 'TCP', balancer);
    assert.equal(await neighbour.ask(MACHINE_IP, 80), `two ${GATEWAY}`);
    assert.equal(await host.ask(MACHINE_IP, 80), `two ${GATEWAY}`);
    assert.equal(await one.ask(MACHINE_IP, 80, { silence: true }), 'nothing');
    await apply([12], of(['198.51.100.0/24']), 'TCP', balancer);
    assert.equal(await neighbour.ask(MACHINE_IP, 80, { silence: true }), 'nothing');
  });

  it('never has what the machine says to itself, with pods or without, whatever address a Service claims', async () => {
    const ports = [{ port: 9090, protocol: 'TCP', targetPort: 8080 }];
    for (const endpoints of [[12], []]) {
      await apply(endpoints, { externalIPs: ['127.0.0.1'], ports });
      assert.equal(await host.ask('127.0.0.1', 9090), 'host 127.0.0.1');
    }
  });

  it('never has what is said to the bridge or to a pod, whatever address a Service claims', async () => {
    const claim = (endpoints: readonly number[], address: string, port: number): Promise<void> =>
      apply(endpoints, { externalIPs: [address], ports: [{ port, protocol: 'TCP', targetPort: 8080 }] });
    for (const endpoints of [[12], []]) {
      await claim(endpoints, GATEWAY, 9090);
      for (const place of [one, host]) assert.match(await place.ask(GATEWAY, 9090), /^host /);
      await claim(endpoints, '10.244.0.11', 8080);
      for (const place of [host, neighbour]) assert.match(await place.ask('10.244.0.11', 8080), /^one /);
    }
  });

  it('stays with an endpoint by ClientIP, also when the table is written anew', async () => {
    const affinity: Partial<ServiceSpec> = {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
    };
    await apply([11, 12], affinity);
    const first = await host.ask(VIP, 80);
    for (let asked = 0; asked < 6; asked++) assert.equal(await host.ask(VIP, 80), first);
    await machine.run('nft', ['flush', 'chain', 'inet', 'stead', 'services']);
    while ((await host.ask(VIP, 80, { silence: true })) !== first);
    for (let asked = 0; asked < 6; asked++) assert.equal(await host.ask(VIP, 80), first);
  });

  it('heals when the rules are flushed', async () => {
    await apply([12]);
    await machine.run('nft', ['flush', 'ruleset']);
    while ((await one.ask(VIP, 80, { silence: true })) !== 'two 10.244.0.11');
  });

  it('of what another stead’s pods send is left alone', async () => {
    await apply([12]);
    await machine.host.sh('ip link add stead1 type bridge && ip address add 10.245.0.1/24 dev stead1');
    await host.sh('ip link set stead1 up');
    const other = await machine.addPod('other', 99);
    await host.sh('ip link set pod99 master stead1');
    await other.sh(
      'ip address flush dev eth0 && ip address add 10.245.0.99/24 dev eth0 && ip route add default via 10.245.0.1',
    );
    // It goes the way of any address that the machine does not know: to the neighbour, who does not answer for it.
    assert.notEqual(await other.ask(VIP, 80, { silence: true }), 'two 10.245.0.99');
    assert.equal(await other.ask('10.244.0.12', 8080), 'two 10.245.0.99');
  });

  it('goes on when the table is closed, and ends when it is removed', async () => {
    await apply([12]);
    await table.close();
    assert.equal(await one.ask(VIP, 80), 'two 10.244.0.11');
    await removeTable(machine.run, 'stead');
    await removeTable(machine.run, 'stead');
    assert.equal(await machine.run('nft', ['list', 'ruleset']), '');
  });
});
