// What the rules of policies do to packets: between pods on a bridge, and with a neighbour, over the kernel. Which rules are
// planned is book.test.ts's business.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { EndpointSlice, NetworkPolicySpec, Service, ServiceSpec } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { silentLog } from '../../base/log.ts';
import { merge } from '../nftables/ruleset.ts';
import { NftTable } from '../nftables/table.ts';
import { IPV4, IPV6 } from '../proxy/family.ts';
import { frame } from '../proxy/frame.ts';
import { planService } from '../proxy/plan.ts';
import { MACHINE_IP, makeMachine, NEIGHBOUR_IP, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { PolicyBook } from './book.ts';
import { factsOf } from './pod-facts.ts';
import { readPolicy } from './policy.ts';
import { podOf, policyOf, type TestPod } from './test-objects.ts';
import { begin } from './test-talk.ts';

type Place = TestMachine['host'];

const VIP = '10.96.0.10';
const GATEWAY = '10.244.0.1';
const FAMILIES = [IPV4, IPV6];
const EVERYBODY: NetworkPolicySpec = { podSelector: {} };
const DENY_ALL: NetworkPolicySpec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

const silent = { silence: true };

describe('traffic under NetworkPolicies', { skip: whyNoMachine ?? false, timeout: 120_000 }, () => {
  let machine: TestMachine;
  let table: NftTable;
  let book: PolicyBook;
  let host: Place;
  let neighbour: Place;
  let client: Place;
  let server: Place;
  let other: Place;

  const serviceOptions = {
    bridge: 'stead0',
    families: FAMILIES,
    nodeName: 'here',
    nodeIps: [MACHINE_IP],
    zone: undefined,
    podRanges: ['10.244.0.0/20'],
    serviceRanges: [{ cidr: '10.96.0.0/16', family: IPV4, onHost: true }],
  };
  const write = async (): Promise<void> => {
    table.set('policies', book.ruleset());
    await table.settled();
  };
  const addresses = (number: number): string[] => [`10.244.0.${number}`, `fd00:244::${number}`];
  const setPod = (pod: TestPod): void => {
    const stored = podOf(pod);
    book.setPods(new Map([[stored.metadata.uid, factsOf(stored, pod.addresses, FAMILIES)]]));
  };
  const setPods = (): void => {
    const ports = [{ name: 'web', containerPort: 8080 }];
    setPod({ name: 'client', labels: { app: 'client' }, addresses: addresses(11) });
    setPod({ name: 'server', labels: { app: 'server' }, addresses: addresses(12), ports });
    setPod({
      name: 'other',
      namespace: 'beside',
      labels: { app: 'client' },
      addresses: addresses(13),
      ports,
    });
  };
  /** In force: these policies and no others. */
  const apply = async (...specs: Array<NetworkPolicySpec & { namespace?: string }>): Promise<void> => {
    book = new PolicyBook({ bridge: 'stead0', podRanges: ['10.244.0.0/20'], families: FAMILIES });
    book.setNamespace('default', { team: 'a' });
    book.setNamespace('beside', { team: 'b' });
    setPods();
    for (const [index, { namespace, ...spec }] of specs.entries()) {
      book.setPolicy(readPolicy(policyOf(`p${index}`, spec, namespace)));
    }
    await write();
  };
  const lead = async (endpoint: string, spec: Partial<ServiceSpec> = {}): Promise<void> => {
    const metadata = {
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      name: 'web',
    };
    const service: Stored<Service> = {
      metadata: { ...metadata, namespace: 'default' },
      spec: {
        clusterIP: VIP,
        clusterIPs: [VIP],
        type: 'ClusterIP',
        ports: [{ port: 80, targetPort: 8080 }],
        ...spec,
      },
    };
    const slice: Stored<EndpointSlice> = {
      metadata: { ...metadata, namespace: 'default' },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: [endpoint], nodeName: 'here' }],
    };
    const plan = planService(service, { pods: [], slices: [slice] }, serviceOptions);
    assert.ok(plan);
    table.set('services', merge([frame(serviceOptions), plan.rules]));
    await table.settled();
  };

  before(async () => {
    machine = await makeMachine();
    ({ host, neighbour } = machine);
    client = await machine.addPod('client', 11);
    server = await machine.addPod('server', 12);
    other = await machine.addPod('other', 13);
    await server.serve('second', 9000);
    await host.serve('host', 9090);
    await neighbour.serve('neighbour', 7070);
    table = new NftTable(
      { ...machine, log: silentLog, random: { next: () => 0.5, uuid: () => '' } },
      { table: 'stead', owner: 'test' },
      ['services', 'policies'],
    );
    table.set('services', frame(serviceOptions));
    book = new PolicyBook({ bridge: 'stead0', podRanges: ['10.244.0.0/20'], families: FAMILIES });
  });
  after(async () => {
    await table?.close();
    await machine?.end();
  });
  beforeEach(() => machine.run('conntrack', ['-F']).catch(() => ''));

  it('goes as ever between pods that no policy isolates', async () => {
    await apply({ podSelector: { matchLabels: { app: 'nobody' } } });
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await client.ask('fd00:244::12', 8080), 'server fd00:244::11');
    assert.equal(await client.ask('10.244.0.12', 8080, { protocol: 'udp' }), 'server 10.244.0.11');
    assert.equal(await neighbour.ask('10.244.0.12', 8080), `server ${NEIGHBOUR_IP}`);
    assert.match(await client.ask(NEIGHBOUR_IP, 7070), /^neighbour /);
  });

  it('does not come to a pod that is isolated, but from the machine and from itself', async () => {
    await apply(EVERYBODY);
    for (const place of [client, other, neighbour]) {
      assert.equal(await place.ask('10.244.0.12', 8080, silent), 'nothing');
    }
    assert.equal(await client.ask('fd00:244::12', 8080, silent), 'nothing');
    assert.equal(await client.ask('10.244.0.12', 8080, { protocol: 'udp', ...silent }), 'nothing');
    assert.equal(await host.ask('10.244.0.12', 8080), `server ${GATEWAY}`);
    assert.equal(await server.ask('10.244.0.12', 8080), 'server 10.244.0.12');
    // Policies are about their own namespace.
    assert.equal(await client.ask('10.244.0.13', 8080), 'other 10.244.0.11');
  });

  it('does not leave a pod that is isolated, but for the machine', async () => {
    await apply({ podSelector: { matchLabels: { app: 'client' } }, policyTypes: ['Egress'] });
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
    assert.equal(await client.ask(NEIGHBOUR_IP, 7070, silent), 'nothing');
    assert.equal(await client.ask(GATEWAY, 9090), 'host 10.244.0.11');
    assert.equal(await server.ask('10.244.0.11', 8080), 'client 10.244.0.12');
    assert.equal(await other.ask('10.244.0.12', 8080), 'server 10.244.0.13');
  });

  it('comes from pods, namespaces, and pods of namespaces that are selected', async () => {
    const from = (...peers: NonNullable<NonNullable<NetworkPolicySpec['ingress']>[number]['from']>) =>
      apply({ podSelector: { matchLabels: { app: 'server' } }, ingress: [{ from: peers }] });
    await from({ podSelector: { matchLabels: { app: 'client' } } });
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await client.ask('fd00:244::12', 8080), 'server fd00:244::11');
    assert.equal(await other.ask('10.244.0.12', 8080, silent), 'nothing');
    await from({ namespaceSelector: { matchLabels: { team: 'b' } } });
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
    assert.equal(await other.ask('10.244.0.12', 8080), 'server 10.244.0.13');
    const both = { namespaceSelector: {}, podSelector: { matchLabels: { app: 'client' } } };
    await from(both);
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await other.ask('10.244.0.12', 8080), 'server 10.244.0.13');
    assert.equal(await neighbour.ask('10.244.0.12', 8080, silent), 'nothing');
  });

  it('comes from no pod that is beyond the bridge', async () => {
    await apply({
      podSelector: { matchLabels: { app: 'server' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }],
    });
    await using heard = begin(
      server,
      `const socket = require('node:dgram').createSocket('udp4');
       socket.on('message', (text) => console.log(String(text)));
       socket.bind(9999, () => console.log('up'));`,
    );
    assert.equal(await heard.line(), 'up');
    const send = `const [from, text] = process.argv.slice(1);
      const socket = require('node:dgram').createSocket('udp4');
      socket.bind(0, from, () => socket.send(text, 9999, '10.244.0.12', () => socket.close()));`;
    await neighbour.sh('ip address add 10.244.0.11/32 dev lo');
    await neighbour.node(send, '10.244.0.11', 'forged');
    await neighbour.sh('ip address delete 10.244.0.11/32 dev lo');
    await client.node(send, '10.244.0.11', 'true');
    assert.equal(await heard.line(), 'true');
  });

  it('comes from a range of addresses, and not from its exceptions', async () => {
    const from = (cidr: string, except?: string[]) =>
      apply({
        podSelector: { matchLabels: { app: 'server' } },
        ingress: [{ from: [{ ipBlock: { cidr, ...(except && { except }) } }] }],
      });
    await from('192.0.2.0/24');
    assert.equal(await neighbour.ask('10.244.0.12', 8080), `server ${NEIGHBOUR_IP}`);
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
    await from('0.0.0.0/0', ['192.0.2.0/30', '10.244.0.13/32']);
    assert.equal(await neighbour.ask('10.244.0.12', 8080, silent), 'nothing');
    assert.equal(await other.ask('10.244.0.12', 8080, silent), 'nothing');
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await client.ask('fd00:244::12', 8080, silent), 'nothing');
  });

  it('goes to ports by number, range, protocol and the name that the destination has for it', async () => {
    const to = (...ports: NonNullable<NonNullable<NetworkPolicySpec['egress']>[number]['ports']>) =>
      apply({
        podSelector: { matchLabels: { app: 'client' } },
        egress: [{ ports }],
        policyTypes: ['Egress'],
      });
    const reached = async (): Promise<string[]> => [
      await client.ask('10.244.0.12', 8080, silent),
      await client.ask('10.244.0.12', 8080, { protocol: 'udp', ...silent }),
      await client.ask('10.244.0.12', 9000, silent),
    ];
    await to({ port: 8080 });
    assert.deepEqual(await reached(), ['server 10.244.0.11', 'nothing', 'nothing']);
    await to({ port: 8000, endPort: 9000 });
    assert.deepEqual(await reached(), ['server 10.244.0.11', 'nothing', 'second 10.244.0.11']);
    await to({ protocol: 'UDP' });
    assert.deepEqual(await reached(), ['nothing', 'server 10.244.0.11', 'nothing']);
    await to({ port: 'web' });
    assert.deepEqual(await reached(), ['server 10.244.0.11', 'nothing', 'nothing']);
    setPod({ name: 'server', addresses: addresses(12), ports: [{ name: 'web', containerPort: 9000 }] });
    await write();
    assert.deepEqual(await reached(), ['nothing', 'nothing', 'second 10.244.0.11']);
  });

  it('passes if it may leave the one and come to the other, and by any of several policies', async () => {
    const leave: NetworkPolicySpec = {
      podSelector: { matchLabels: { app: 'client' } },
      egress: [{ to: [{ podSelector: {} }] }],
      policyTypes: ['Egress'],
    };
    await apply(DENY_ALL, leave);
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
    const come: NetworkPolicySpec = {
      podSelector: { matchLabels: { app: 'server' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 8080 }] }],
    };
    await apply(DENY_ALL, leave, come);
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await client.ask('10.244.0.12', 9000, silent), 'nothing');
    await apply(DENY_ALL, come);
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
  });

  it('by a Service is what its pod may have, from its client’s own address', async () => {
    const nodePort: Partial<ServiceSpec> = {
      type: 'NodePort',
      ports: [{ port: 80, targetPort: 8080, nodePort: 30_080 }],
    };
    await lead('10.244.0.12', nodePort);
    const only = (cidr: string, port: number): NetworkPolicySpec => ({
      podSelector: { matchLabels: { app: 'server' } },
      ingress: [{ from: [{ ipBlock: { cidr } }], ports: [{ port }] }],
    });
    await apply(only('10.244.0.11/32', 8080));
    assert.equal(await client.ask(VIP, 80), 'server 10.244.0.11');
    assert.equal(await other.ask(VIP, 80, silent), 'nothing');
    assert.equal(await neighbour.ask(MACHINE_IP, 30_080, silent), 'nothing');
    // A pod's own Service, which leads to itself.
    assert.equal(await server.ask(VIP, 80), `server ${GATEWAY}`);
    assert.equal(await host.ask(VIP, 80), `server ${GATEWAY}`);
    await apply(only('10.244.0.11/32', 80));
    assert.equal(await client.ask(VIP, 80, silent), 'nothing');
    await apply(only(`${NEIGHBOUR_IP}/32`, 8080));
    assert.equal(await neighbour.ask(MACHINE_IP, 30_080), `server ${GATEWAY}`);
    // Egress is to the pod behind it, too.
    const to = (cidr: string): NetworkPolicySpec => ({
      podSelector: { matchLabels: { app: 'client' } },
      egress: [{ to: [{ ipBlock: { cidr } }] }],
      policyTypes: ['Egress'],
    });
    await apply(to(`${VIP}/32`));
    assert.equal(await client.ask(VIP, 80, silent), 'nothing');
    await apply(to('10.244.0.12/32'));
    assert.equal(await client.ask(VIP, 80), 'server 10.244.0.11');
  });

  it('that is established goes on when a policy comes, over TCP and UDP; what has had no answer does not', async () => {
    await apply({ podSelector: { matchLabels: { app: 'nobody' } } });
    await using echo = begin(server, ECHO, '6000');
    assert.equal(await echo.line(), 'up');
    await using tcp = begin(client, TALK, 'tcp', '10.244.0.12', '6000');
    await using udp = begin(client, TALK, 'udp', '10.244.0.12', '6000');
    for (const talk of [tcp, udp]) assert.equal(await talk.say('a'), 'heard a');
    await using heard = begin(server, COUNT, '6001');
    assert.equal(await heard.line(), 'up');
    await using flood = begin(client, FLOOD, '10.244.0.12', '6001');
    while (Number(await heard.say('?')) < 100);
    await apply(EVERYBODY);
    for (const talk of [tcp, udp]) assert.equal(await talk.say('b'), 'heard b');
    await using late = begin(client, TALK, 'udp', '10.244.0.12', '6000');
    assert.equal(await late.say('c'), 'nothing');
    // What was on its way has come when two counts are the same.
    let count = await heard.say('?');
    for (let again = await heard.say('?'); again !== count; again = await heard.say('?')) count = again;
    const sent = Number(await flood.say('?'));
    while (Number(await flood.say('?')) < sent + 1_000);
    assert.equal(await heard.say('?'), count);
  });

  it('is let through, kept and let through again as pods and policies come, change and go', async () => {
    const labels = { app: 'client' };
    await apply({
      podSelector: { matchLabels: { app: 'server' } },
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: labels } },
            { namespaceSelector: { matchLabels: { team: 'c' } } },
          ],
        },
      ],
    });
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    setPod({ name: 'client', addresses: addresses(11) });
    await write();
    assert.equal(await client.ask('10.244.0.12', 8080, silent), 'nothing');
    assert.equal(await other.ask('10.244.0.12', 8080, silent), 'nothing');
    book.setNamespace('beside', { team: 'c' });
    await write();
    assert.equal(await other.ask('10.244.0.12', 8080), 'server 10.244.0.13');
    // Another pod has the address now.
    book.setPods(new Map([['beside/other', undefined]]));
    setPod({ name: 'new', labels, addresses: addresses(13) });
    book.setNamespace('beside', undefined);
    await write();
    assert.equal(await other.ask('10.244.0.12', 8080), 'server 10.244.0.13');
    book.removePolicy('default', 'p0');
    await write();
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
  });

  it('of an address that no pod is known to have is dropped, of IPv6 for the link, and to groups', async () => {
    await apply({ podSelector: { matchLabels: { app: 'nobody' } } });
    await client.sh('ip address add 10.244.0.77/24 dev eth0');
    let link: string | undefined;
    while (!link) {
      const shown = await server.sh('ip -6 -o address show dev eth0 scope link');
      if (!shown.includes('tentative')) link = /fe80\S+(?=\/)/.exec(shown)?.[0];
    }
    await using heard = begin(server, COUNT, '6002');
    assert.equal(await heard.line(), 'up');
    const tries = [
      ['udp4', '10.244.0.12', '6002', '10.244.0.77'],
      ['udp6', `${link}%eth0`, '6002'],
      // Everybody is in this group.
      ['udp6', 'ff02::1%eth0', '6002'],
      ['udp4', '255.255.255.255', '6002'],
    ];
    for (const args of tries) assert.equal(await client.node(SEND, ...args), 'sent');
    assert.equal(await client.ask('10.244.0.12', 8080), 'server 10.244.0.11');
    assert.equal(await heard.say('?'), '0');
    table.set('policies', { chains: new Map(), sets: new Map(), elements: new Map() });
    await table.settled();
    for (const [index, args] of tries.entries()) {
      assert.equal(await client.node(SEND, ...args), 'sent');
      while (Number(await heard.say('?')) <= index);
    }
    await client.sh('ip address delete 10.244.0.77/24 dev eth0');
  });

  it('of a connection that is refused by a Service is refused at once, also where it may not go', async () => {
    await apply(DENY_ALL);
    assert.equal(await client.ask('10.96.0.99', 80), 'refused');
  });
});

/** Answers over TCP and UDP with what it was told. */
const ECHO = `
const [port] = process.argv.slice(1);
const tcp = require('node:net').createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket); });
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (data, from) => udp.send(data, from.port, from.address));
tcp.listen(Number(port), () => udp.bind(Number(port), () => console.log('up')));
`;

/** Tells whoever it is connected to each line, and says what it has heard. */
const TALK = `
const [protocol, host, port] = process.argv.slice(1);
let timer;
const say = (text) => { clearTimeout(timer); console.log(text); };
let socket;
if (protocol === 'tcp') {
  socket = require('node:net').connect({ host, port: Number(port) });
  socket.on('data', (data) => say('heard ' + data));
} else {
  socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (data) => say('heard ' + data));
  socket.connect(Number(port), host);
}
socket.on('error', (error) => say(error.code));
process.stdin.setEncoding('utf8').on('data', (line) => {
  timer = setTimeout(() => say('nothing'), 700);
  if (protocol === 'tcp') socket.write(line.trim());
  else socket.send(line.trim());
});
`;

/** Hears datagrams of both families and never answers; says how many when it is asked. */
const COUNT = `
const [port] = process.argv.slice(1);
let count = 0;
const udp = require('node:dgram').createSocket({ type: 'udp6', recvBufferSize: 1 << 20 });
udp.on('message', () => count++);
udp.bind(Number(port), '::', () => console.log('up'));
process.stdin.on('data', () => console.log(count));
`;

/** Sends datagrams without end; says how many when it is asked. */
const FLOOD = `
const [host, port] = process.argv.slice(1);
let count = 0;
const udp = require('node:dgram').createSocket('udp4');
const send = () => udp.send('x', Number(port), host, () => { count++; setImmediate(send); });
udp.bind(0, send);
process.stdin.on('data', () => console.log(count));
`;

/** Sends one datagram, and says that it has gone. */
const SEND = `
const [type, host, port, from] = process.argv.slice(1);
const udp = require('node:dgram').createSocket(type);
udp.bind(0, from, () => {
  udp.setBroadcast(true);
  udp.send('x', Number(port), host, (error) => { console.log(error ? error.code : 'sent'); udp.close(); });
});
`;
