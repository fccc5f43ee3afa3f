// From what is written to the API to what packets do: the proxy over an API in memory and a kernel in a namespace.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { silentLog } from '../../base/log.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { NftTable } from '../nftables/table.ts';
import { MACHINE_IP, makeMachine, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { IPV4, IPV6 } from './family.ts';
import { type ServiceProxy, startServiceProxy } from './proxy.ts';
import { whyNoServices } from './support.ts';

const VIP = '10.96.0.10';

describe('the proxy of Services', { skip: whyNoMachine ?? false, timeout: 120_000 }, () => {
  let machine: TestMachine;
  let cluster: TestControlPlane;
  let table: NftTable;
  let proxy: ServiceProxy;
  const options = {
    bridge: 'stead0',
    families: [IPV4, IPV6],
    nodeName: 'here',
    nodeIps: [MACHINE_IP],
    podRanges: ['10.244.0.0/20'],
    serviceRanges: [{ cidr: '10.96.0.0/16', family: IPV4, onHost: true }],
  };

  const addPod = async (name: string, address: string, isReady: boolean): Promise<void> => {
    await cluster.client.create(pods, {
      metadata: { namespace: 'default', name, labels: { app: 'web' } },
      spec: { nodeName: 'here', containers: [{ name: 'c', image: 'i' }] },
    });
    await cluster.runPod(name, address, isReady);
  };
  /** Asks until that is the answer; then all that was written is in force. */
  const until = async (answer: string, ask: () => Promise<string>): Promise<void> => {
    await cluster.clock.settle();
    while ((await ask()) !== answer);
  };
  const overTcp = (): Promise<string> => machine.host.ask(VIP, 80);
  const overUdp = (): Promise<string> => machine.host.ask(VIP, 53, { protocol: 'udp', from: 5_353 });

  before(async () => {
    machine = await makeMachine();
    await machine.addPod('one', 11);
    await machine.addPod('two', 12);
    cluster = await startTestControlPlane();
    await cluster.addNode('here');
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'web' },
      spec: {
        clusterIP: VIP,
        selector: { app: 'web' },
        ports: [
          { name: 'tcp', port: 80, targetPort: 8080 },
          { name: 'udp', port: 53, targetPort: 8080, protocol: 'UDP' },
        ],
      },
    });
    table = new NftTable(
      { ...machine, log: silentLog, random: cluster.context.random },
      { table: 'stead', owner: '' },
    );
    proxy = await startServiceProxy(cluster.context, table, machine.run, options);
  });
  after(async () => {
    await table?.close();
    await proxy?.close();
    await cluster?.stop();
    await machine?.end();
  });

  it('refuses until a pod is ready, and leads to it then, although no controller has written a slice', async () => {
    await addPod('one', '10.244.0.11', false);
    await until('refused', overTcp);
    await cluster.runPod('one', '10.244.0.11', true);
    await until('one 10.244.0.1', overTcp);
  });

  it('leads a UDP client that goes on sending to another pod, once its own has gone', async () => {
    await until('one 10.244.0.1', overUdp);
    await addPod('two', '10.244.0.12', true);
    await cluster.client.delete(pods, { namespace: 'default', name: 'one' }, { gracePeriodSeconds: 0 });
    await until('two 10.244.0.1', overUdp);
    assert.equal(await overTcp(), 'two 10.244.0.1');
  });

  it('answers a load balancer that asks for the node’s health, on its port', async () => {
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'balanced' },
      spec: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30_999,
        selector: { app: 'web' },
        ports: [{ port: 81, targetPort: 8080 }],
      },
    });
    await cluster.clock.settle();
    const ask = (): Promise<Response | undefined> =>
      fetch('http://127.0.0.1:30999/healthz').catch(() => undefined);
    let answer = await ask();
    while (!answer) answer = await ask();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-load-balancing-endpoint-weight'), '1');
    assert.deepEqual(await answer.json(), {
      service: { namespace: 'default', name: 'balanced' },
      localEndpoints: 1,
      serviceProxyHealthy: true,
    });
    await cluster.client.delete(services, { namespace: 'default', name: 'balanced' });
    await cluster.clock.settle();
    while (await ask());
  });

  it('leaves the rules in force when it ends', async () => {
    await table.close();
    await proxy.close();
    assert.equal(await overTcp(), 'two 10.244.0.1');
  });

  it('leads on who has been asking while there were no rules', async () => {
    // Where anybody has rules for addresses, the kernel remembers what has none.
    const input = [
      'add table ip other',
      'add chain ip other c { type nat hook output priority -100 ; }',
      'add rule ip other c ct state new accept',
    ].join('\n');
    await machine.run('nft', ['-f', '-'], { input: `${input}\n` });
    await machine.run('nft', ['delete', 'table', 'inet', 'stead']);
    const asked = { protocol: 'udp', from: 5_354 } as const;
    assert.equal(await machine.host.ask(VIP, 53, { ...asked, silence: true }), 'nothing');
    const connecting = machine.host.ask(VIP, 80, { from: 5_355 });
    const remembered = (): Promise<string> =>
      machine.run('conntrack', ['-L', '-p', 'tcp', '--orig-dst', VIP]);
    while (!(await remembered()).includes('SYN_SENT'));
    table = new NftTable(
      { ...machine, log: silentLog, random: cluster.context.random },
      { table: 'stead', owner: '' },
    );
    proxy = await startServiceProxy(cluster.context, table, machine.run, options);
    assert.equal(await machine.host.ask(VIP, 53, asked), 'two 10.244.0.1');
    assert.equal(await connecting, 'two 10.244.0.1');
    await table.close();
    await proxy.close();
    await machine.run('nft', ['delete', 'table', 'ip', 'other']);
  });

  it('says why where the kernel or nft does not have what it takes', async () => {
    assert.equal(await whyNoServices(machine.run, options), undefined);
    const why = await whyNoServices(machine.run, { ...options, bridge: 'no "bridge"' });
    assert.match(why ?? '', /syntax error|unexpected/);
    assert.equal((await machine.run('nft', ['list', 'tables'])).trim(), 'table inet stead');
  });
});
