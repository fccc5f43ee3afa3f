// The server over real sockets, with the API's own objects behind it; what names mean is resolve.test.ts's business.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import * as dnsPacket from 'dns-packet';
import type { EndpointSlice } from '../../api/generated/types.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices.ts';
import { services } from '../../api/resources/services.ts';
import { startTestCluster, type TestCluster } from '../../testing/test-cluster.ts';
import { framed, nameserversOf } from './forward.ts';
import { type DnsServer, startDnsServer } from './server.ts';

const NAME = 'web.default.svc.cluster.local';

const sliceOf = (addresses: string[]): EndpointSlice => ({
  metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  endpoints: addresses.map((address, index) => ({
    addresses: [address],
    hostname: `web-${index}`,
    conditions: { ready: true },
  })),
});

describe('the DNS server', () => {
  let cluster: TestCluster;
  let dns: DnsServer;
  let beyond: { port: number; close(): void };
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });

  before(async () => {
    cluster = await startTestCluster();
    beyond = await listenForNothing();
    dns = await startDnsServer(cluster.context, {
      addresses: ['127.0.0.1'],
      port: 0,
      domain: 'cluster.local',
      forwardTo: [],
    });
    resolver.setServers([`127.0.0.1:${dns.port}`]);
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'web' },
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80, name: 'http' }] },
    });
    await cluster.client.create(endpointSlices, sliceOf(['10.1.0.1', '10.1.0.2']));
    await cluster.clock.settle();
  });
  after(async () => {
    await dns.close();
    beyond.close();
    await cluster.stop();
  });

  it('answers addresses, SRV and reverse names', async () => {
    assert.deepEqual(await resolver.resolve4(NAME), ['10.1.0.1', '10.1.0.2']);
    assert.deepEqual(await resolver.resolve4(`web-1.${NAME}`), ['10.1.0.2']);
    const records = await resolver.resolveSrv(`_http._tcp.${NAME}`);
    assert.deepEqual(records.map(({ name }) => name).sort(), [`web-0.${NAME}`, `web-1.${NAME}`]);
    assert.deepEqual(await resolver.reverse('10.1.0.2'), [`web-1.${NAME}`]);
    await assert.rejects(resolver.resolve4(`web-9.${NAME}`), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve6(NAME), { code: 'ENODATA' });
  });

  it('forgets what it remembered when a slice changes', async () => {
    assert.deepEqual(await resolver.resolve4(`web-0.${NAME}`), ['10.1.0.1']);
    const key = { namespace: 'default', name: 'web-1' };
    const slice = await cluster.client.get(endpointSlices, key);
    await cluster.client.update(endpointSlices, {
      ...slice,
      endpoints: sliceOf(['10.1.0.9', '10.1.0.2']).endpoints,
    });
    await cluster.clock.settle();
    assert.deepEqual(await resolver.resolve4(`web-0.${NAME}`), ['10.1.0.9']);
  });

  it('cuts what is too long for UDP, and gives it whole over TCP', async () => {
    const many = Array.from({ length: 90 }, (_, index) => `10.2.0.${index + 1}`);
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'big' },
      spec: { clusterIP: 'None', ports: [{ port: 80 }] },
    });
    const slice = sliceOf(many);
    await cluster.client.create(endpointSlices, {
      ...slice,
      metadata: { namespace: 'default', name: 'big-1', labels: { 'kubernetes.io/service-name': 'big' } },
    });
    await cluster.clock.settle();
    const query = dnsPacket.encode({
      type: 'query',
      id: 7,
      flags: dnsPacket.RECURSION_DESIRED,
      questions: [{ type: 'A', name: 'big.default.svc.cluster.local' }],
    });
    const short = dnsPacket.decode(await askUdp(dns.port, query));
    assert.deepEqual([short.id, short.flag_tc, short.answers?.length], [7, true, 0]);
    const whole = dnsPacket.decode(await askTcp(dns.port, query));
    assert.deepEqual([whole.id, whole.flag_tc, whole.answers?.length], [7, false, 90]);
  });

  it('says that it cannot answer for the world when there is no resolver beyond', async () => {
    await assert.rejects(resolver.resolve4('example.org'), { code: 'ESERVFAIL' });
  });

  it('survives what is no question', async () => {
    const socket = createSocket('udp4');
    for (const bytes of ['', 'x', '\0'.repeat(12), '\xff'.repeat(512)]) {
      await new Promise((resolve) =>
        socket.send(Buffer.from(bytes, 'latin1'), dns.port, '127.0.0.1', resolve),
      );
    }
    socket.close();
    assert.deepEqual(await resolver.resolve4(`web-1.${NAME}`), ['10.1.0.2']);
  });

  it('says which address it could not listen on', async () => {
    const options = { addresses: ['127.0.0.1'], port: beyond.port, domain: 'cluster.local', forwardTo: [] };
    await assert.rejects(
      startDnsServer(cluster.context, options),
      /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    );
  });
});

describe('the resolvers beyond', () => {
  it('are those of resolv.conf, without our own', () => {
    const text = '# by hand\nnameserver 10.0.0.2\n nameserver 127.0.0.1 \noptions x\nnameserver ::1\n';
    assert.deepEqual(nameserversOf(text, ['127.0.0.1']), ['10.0.0.2', '::1']);
  });
});

function askUdp(port: number, query: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.once('message', (answer) => {
      socket.close();
      resolve(answer);
    });
    socket.send(query, port, '127.0.0.1');
  });
}

function askTcp(port: number, query: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(framed(query)));
    let received = Buffer.alloc(0);
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(received.subarray(2));
    });
  });
}

/** A UDP port that is taken. */
function listenForNothing(): Promise<{ port: number; close(): void }> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => resolve({ port: socket.address().port, close: () => socket.close() }));
  });
}
