// The server over real sockets, with the API's own objects behind it; what names mean is resolve.test.ts's business.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { type AddressInfo, connect, createServer, Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import * as dnsPacket from 'dns-packet';
import type { EndpointSlice } from '../../api/generated/types.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { framed } from './exchange.ts';
import { nameserversOf } from './resolver-address.ts';
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
  let cluster: TestControlPlane;
  let dns: DnsServer;
  let taken: { port: number; close(): void };
  let beyond: { port: number; close(): void };
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });

  before(async () => {
    cluster = await startTestControlPlane();
    taken = await listenForNothing();
    beyond = await resolverBeyond();
    dns = await startDnsServer(cluster.context, {
      addresses: ['127.0.0.1'],
      port: 0,
      domain: 'cluster.local',
      forwardTo: async () => [{ address: '127.0.0.1', port: beyond.port }],
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
    taken.close();
    beyond.close();
    await cluster.stop();
  });

  it('answers addresses, SRV and reverse names', async () => {
    assert.deepEqual((await resolver.resolve4(NAME)).sort(), ['10.1.0.1', '10.1.0.2']);
    assert.deepEqual(await resolver.resolve4(`web-1.${NAME}`), ['10.1.0.2']);
    const records = await resolver.resolveSrv(`_http._tcp.${NAME}`);
    assert.deepEqual(records.map(({ name }) => name).sort(), [`web-0.${NAME}`, `web-1.${NAME}`]);
    assert.deepEqual(await resolver.reverse('10.1.0.2'), [`web-1.${NAME}`]);
    await assert.rejects(resolver.resolve4(`web-9.${NAME}`), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve6(NAME), { code: 'ENODATA' });
  });

  it('answers anew when a slice changes', async () => {
    assert.deepEqual(await resolver.resolve4(`web-0.${NAME}`), ['10.1.0.1']);
    const key = { namespace: 'default', name: 'web-1' };
    const slice = await cluster.client.get(endpointSlices, key);
    await cluster.client.update(endpointSlices, {
      ...slice,
      endpoints: sliceOf(['10.1.0.9', '10.1.0.2']).endpoints ?? [],
    });
    await cluster.clock.settle();
    assert.deepEqual(await resolver.resolve4(`web-0.${NAME}`), ['10.1.0.9']);
  });

  it('knows a pod in the step in which it is Ready, and its old address no longer', async () => {
    const set = 'set.default.svc.cluster.local';
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'set' },
      spec: { clusterIP: 'None', selector: { app: 'set' }, ports: [{ port: 80, name: 'http' }] },
    });
    const comesUp = async (ip: string): Promise<void> => {
      await cluster.client.create(pods, {
        metadata: { namespace: 'default', name: 'set-0', labels: { app: 'set' } },
        spec: { hostname: 'set-0', subdomain: 'set', containers: [{ name: 'main', image: 'a' }] },
      });
      await cluster.runPod('set-0', ip, false);
      await assert.rejects(resolver.resolve4(`set-0.${set}`), { code: 'ENOTFOUND' });
      // Nobody writes slices here: the name comes with the pod's status, and with nothing else.
      await cluster.runPod('set-0', ip);
      assert.deepEqual(await resolver.resolve4(`set-0.${set}`), [ip]);
      assert.deepEqual(await resolver.resolve4(set), [ip]);
      assert.deepEqual(await resolver.reverse(ip), [`set-0.${set}`]);
      assert.equal((await resolver.resolveSrv(`_http._tcp.${set}`))[0]?.name, `set-0.${set}`);
    };
    await comesUp('10.3.0.1');
    await cluster.client.delete(pods, { namespace: 'default', name: 'set-0' }, { gracePeriodSeconds: 0 });
    await assert.rejects(resolver.resolve4(`set-0.${set}`), { code: 'ENOTFOUND' });
    await comesUp('10.3.0.2');
  });

  it('holds as many addresses over UDP as the asker takes, says when there are more, and gives all over TCP', async () => {
    const publish = async (name: string, count: number): Promise<Buffer> => {
      await cluster.client.create(services, {
        metadata: { namespace: 'default', name },
        spec: { clusterIP: 'None', ports: [{ port: 80 }] },
      });
      const labels = { 'kubernetes.io/service-name': name };
      await cluster.client.create(endpointSlices, {
        ...sliceOf(Array.from({ length: count }, (_, index) => `10.2.0.${index + 1}`)),
        metadata: { namespace: 'default', name: `${name}-1`, labels },
      });
      return queryFor(`${name}.default.svc.cluster.local`);
    };
    const some = await publish('some', 12);
    const many = await publish('many', 90);
    await cluster.clock.settle();
    const sizes = async (query: Buffer): Promise<unknown[]> => {
      const bytes = await askUdp(dns.port, query);
      const { id, flag_tc, answers } = dnsPacket.decode(bytes);
      return [id, flag_tc, answers?.length, bytes.length <= 512];
    };
    assert.deepEqual(await sizes(some), [7, false, 12, true]);
    assert.deepEqual(await sizes(many), [7, true, 29, true]);
    assert.deepEqual((await sizes(queryFor('many.default.svc.cluster.local', 1000))).slice(0, 3), [
      7,
      true,
      58,
    ]);
    const seen = new Set<unknown>();
    for (let round = 0; round < 50; round++) {
      for (const answer of dnsPacket.decode(await askUdp(dns.port, many)).answers ?? [])
        seen.add('data' in answer && answer.data);
    }
    assert.ok(seen.size > 29, 'askers who are cut short are not all told the same addresses');
    const whole = dnsPacket.decode(await askTcp(dns.port, many));
    assert.deepEqual([whole.id, whole.flag_tc, whole.answers?.length], [7, false, 90]);
  });

  it('answers an alias of the world outside with what is behind it', async () => {
    const alias = async (name: string, externalName: string): Promise<string> => {
      await cluster.client.create(services, {
        metadata: { namespace: 'default', name },
        spec: { type: 'ExternalName', externalName },
      });
      await cluster.clock.settle();
      return `${name}.default.svc.cluster.local`;
    };
    assert.deepEqual(await resolver.resolve4(await alias('far', 'db.example.org')), ['192.0.2.1']);
    const missing = await alias('farther', 'missing.example.org');
    await assert.rejects(resolver.resolve4(missing), { code: 'ENOTFOUND' });
    assert.deepEqual(await resolver.resolveCname(missing), ['missing.example.org']);
    assert.equal((await resolver.resolve4(await alias('big', 'big.example.org'))).length, 40);
  });

  it('hands on what the resolvers beyond say, and says when they say nothing', async () => {
    assert.deepEqual(await resolver.resolve4('db.example.org'), ['192.0.2.1']);
    await assert.rejects(resolver.resolve4('missing.example.org'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve4('refused.example.org'), { code: 'EREFUSED' });
    const options = { addresses: ['127.0.0.1'], port: 0, domain: 'cluster.local', forwardTo: async () => [] };
    const alone = await startDnsServer(cluster.context, options);
    const lonely = new Resolver({ timeout: 2_000, tries: 1 });
    lonely.setServers([`127.0.0.1:${alone.port}`]);
    await assert.rejects(lonely.resolve4('example.org'), { code: 'ESERVFAIL' });
    await assert.rejects(lonely.resolve4('far.default.svc.cluster.local'), { code: 'ESERVFAIL' });
    await alone.close();
  });

  it('answers many questions of one connection in their order, and ends what is no question', async () => {
    const socket = connect(dns.port, '127.0.0.1');
    const ids = Array.from({ length: 300 }, (_, index) => index);
    socket.write(Buffer.concat(ids.map((id) => framed(queryFor(NAME, undefined, id)))));
    let received = Buffer.alloc(0);
    const answered: number[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        answered.push(received.readUInt16BE(2));
        received = received.subarray(2 + received.readUInt16BE(0));
      }
      // Longer than any question: the server hangs up.
      if (answered.length === ids.length) socket.write(Buffer.from([0xff, 0xff]));
    }
    assert.deepEqual(answered, ids);
  });

  it('answers over TCP who has ended its side already', async () => {
    const socket = connect({ port: dns.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(framed(queryFor('many.default.svc.cluster.local')));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) received = Buffer.concat([received, chunk]);
    assert.equal(dnsPacket.decode(received.subarray(2)).answers?.length, 90);
  });

  it('gives no client more than its share of connections', async () => {
    const sockets = Array.from({ length: 60 }, () => connect(dns.port, '127.0.0.1'));
    const ended: number[] = [];
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.on('close', () => ended.push(index));
    }
    await cluster.until(() => ended.length >= 28, 'those beyond the share are ended');
    assert.equal(ended.length, 28);
    for (const socket of sockets) socket.destroy();
    await cluster.until(() => ended.length === 60, 'all have ended');
    assert.equal(dnsPacket.decode(await askTcp(dns.port, queryFor(NAME))).answers?.length, 2);
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
    const options = {
      addresses: ['127.0.0.1'],
      port: taken.port,
      domain: 'cluster.local',
      forwardTo: async () => [],
    };
    await assert.rejects(
      startDnsServer(cluster.context, options),
      /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    );
  });

  it('takes another free port when somebody has the first one for TCP', async (t) => {
    const somebody = createServer();
    await new Promise<void>((listening) => somebody.listen(0, '127.0.0.1', listening));
    t.after(() => somebody.close());
    const theirs = (somebody.address() as AddressInfo).port;
    const { listen } = Server.prototype;
    let asked = 0;
    t.mock.method(Server.prototype, 'listen', function (this: Server, port: number, ...rest: unknown[]) {
      asked += 1;
      return Reflect.apply(listen, this, [asked === 1 ? theirs : port, ...rest]);
    });
    const options = { addresses: ['127.0.0.1'], port: 0, domain: 'cluster.local', forwardTo: async () => [] };
    const other = await startDnsServer(cluster.context, options);
    t.after(() => other.close());
    assert.equal(asked, 2);
  });
});

describe('the resolvers beyond', () => {
  it('are those of resolv.conf', () => {
    const text =
      '# by hand\nnameserver 10.0.0.2\n nameserver 127.0.0.1 \noptions x\nnameserver ::1\nnameserver x';
    assert.deepEqual(
      nameserversOf(text).map(({ address }) => address),
      ['10.0.0.2', '127.0.0.1', '::1'],
    );
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

function queryFor(name: string, udpPayloadSize?: number, id = 7): Buffer {
  const edns = { type: 'OPT' as const, name: '.', udpPayloadSize: udpPayloadSize ?? 0, extendedRcode: 0 };
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
    additionals: udpPayloadSize ? [{ ...edns, ednsVersion: 0, flags: 0, flag_do: false, options: [] }] : [],
  });
}

/** A resolver that knows some names of example.org, on UDP and TCP; over UDP, large answers are cut. */
async function resolverBeyond(): Promise<{ port: number; close(): void }> {
  const reply = (message: Buffer, most: number): Buffer => {
    const { id, questions } = dnsPacket.decode(message);
    const name = questions?.[0]?.name ?? '';
    const addresses = name === 'db.example.org' ? 1 : name === 'big.example.org' ? most : 0;
    const rcode = name.startsWith('missing') ? 3 : name.startsWith('refused') ? 5 : 0;
    return dnsPacket.encode({
      type: 'response',
      id,
      flags: rcode | (name === 'big.example.org' && most < 40 ? dnsPacket.TRUNCATED_RESPONSE : 0),
      questions,
      answers: Array.from({ length: addresses }, (_, index) => ({
        type: 'A',
        name,
        ttl: 60,
        data: `192.0.2.${index + 1}`,
      })),
    });
  };
  const udp = createSocket('udp4');
  udp.on('message', (message, { port, address }) => {
    // An answer to something else comes first, as a forger would send it.
    const forged = queryFor('db.example.org', undefined, message.readUInt16BE(0));
    udp.send(forged, port, address);
    udp.send(reply(message, 5), port, address);
  });
  await new Promise<void>((bound) => udp.bind(0, '127.0.0.1', bound));
  const { port } = udp.address();
  const tcp = createServer((socket) => {
    socket.once('data', (chunk) => socket.end(framed(reply(chunk.subarray(2), 40))));
  });
  await new Promise<void>((listening) => tcp.listen(port, '127.0.0.1', listening));
  return {
    port,
    close() {
      udp.close();
      tcp.close();
    },
  };
}

/** A UDP port that is taken. */
function listenForNothing(): Promise<{ port: number; close(): void }> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => resolve({ port: socket.address().port, close: () => socket.close() }));
  });
}
