// Names of the rest of the world: what resolvers beyond the cluster say is handed on, kept, and not believed blindly.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, afterEach, describe, it } from 'node:test';
import type * as dnsPacket from 'dns-packet';
import { silentLog } from '../../src/base/log.ts';
import { createForwarder } from '../../src/network/dns/forward.ts';
import { questionSection } from '../../src/network/dns/question.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { eventually } from '../kit/stead.ts';
import { type Answers, type Beyond, startBeyond } from './beyond.ts';
import { dataOf, dig, noDig } from './dig.ts';
import { startWorld, type World } from './world.ts';

const NXDOMAIN = 3;
const SERVFAIL = 2;
const address = (name: string, ttl: number, data = '192.0.2.1'): dnsPacket.Packet => ({
  answers: [{ type: 'A', name, ttl, data }],
});
const authority: dnsPacket.Packet = {
  authorities: [
    {
      type: 'SOA',
      name: 'example.org',
      ttl: 300,
      data: { mname: 'ns', rname: 'h', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 20 },
    },
  ],
};

describe('forwarding', { skip: noDig }, () => {
  const closers: Array<() => unknown> = [];
  const start = async (...each: Answers[]): Promise<{ world: World; beyond: Beyond[] }> => {
    const beyond: Beyond[] = [];
    for (const answers of each) {
      const one = await startBeyond(answers);
      closers.push(() => one.close());
      // Whether they lead back here is asked of all of them first.
      beyond.push(one);
    }
    const world = await startWorld(...beyond.map(({ port }) => port));
    closers.push(() => world.stop());
    await eventually(
      'all are asked whether they lead back',
      async () => beyond.every(({ asked }) => asked.length > 0),
      (all) => all,
    );
    for (const one of beyond) {
      one.asked.length = 0;
      one.origins.length = 0;
    }
    return { world, beyond };
  };
  const end = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  afterEach(end);
  after(end);

  it('an answer is kept for as long as it holds, counts down, and has the letters of whoever asks', async () => {
    const { world, beyond } = await start((name) => address(name, 30));
    const ask = () => dig(world.dns.port, 'wWw.Example.Org', 'A');
    const first = await ask();
    assert.deepEqual(first.answer, ['www.example.org. 30 IN A 192.0.2.1']);
    assert.equal(first.question, 'wWw.Example.Org.');
    await world.cluster.clock.advance(12_000);
    assert.deepEqual((await ask()).answer, ['www.example.org. 18 IN A 192.0.2.1']);
    const other = await dig(world.dns.port, 'www.example.org', 'A', '+noedns');
    assert.deepEqual([other.answer, other.edns], [['www.example.org. 18 IN A 192.0.2.1'], '']);
    assert.deepEqual(beyond[0]?.asked, ['udp www.example.org']);
    await world.cluster.clock.advance(18_000);
    assert.deepEqual((await ask()).answer, ['www.example.org. 30 IN A 192.0.2.1']);
    assert.equal(beyond[0]?.asked.length, 2);
  });

  it('so is that there is no such name, or no such record, if that says for how long', async () => {
    const { world, beyond } = await start((name) => {
      if (name.startsWith('vague')) return { flags: NXDOMAIN };
      return { flags: name.startsWith('missing') ? NXDOMAIN : 0, ...authority };
    });
    for (const [name, status, times] of [
      ['missing.example.org', 'NXDOMAIN', 1],
      ['empty.example.org', 'NOERROR', 1],
      ['vague.example.org', 'NXDOMAIN', 2],
    ] as const) {
      for (const { status: said } of [await dig(world.dns.port, name), await dig(world.dns.port, name)])
        assert.equal(said, status, name);
      assert.equal(beyond[0]?.asked.filter((each) => each.endsWith(name)).length, times, name);
    }
    await world.cluster.clock.advance(20_000);
    await dig(world.dns.port, 'missing.example.org');
    assert.equal(beyond[0]?.asked.length, 5);
  });

  it('a resolver that fails or is not there is passed over, and asked last for a while', async () => {
    const { world, beyond } = await start(
      (name) => (name.startsWith('gone') ? address(name, 0, '192.0.2.9') : { flags: SERVFAIL }),
      (name) => address(name, 0),
    );
    assert.deepEqual(dataOf((await dig(world.dns.port, 'a.example.org')).answer), ['192.0.2.1']);
    assert.deepEqual([beyond[0]?.asked.length, beyond[1]?.asked.length], [1, 1]);
    beyond[0]?.close();
    // What it has closed says so at once; nobody waits.
    for (const name of ['b', 'c', 'd'])
      assert.deepEqual(dataOf((await dig(world.dns.port, `${name}.example.org`)).answer), ['192.0.2.1']);
    const back = await startBeyond((name) => address(name, 0, '192.0.2.7'), beyond[0]?.port);
    closers.splice(0, 1, () => back.close());
    assert.deepEqual(dataOf((await dig(world.dns.port, 'e.example.org')).answer), ['192.0.2.1']);
    await world.cluster.clock.advance(5_000);
    assert.deepEqual(dataOf((await dig(world.dns.port, 'f.example.org')).answer), ['192.0.2.7']);
  });

  it('a resolver that says nothing has two seconds, and the next one answers', async () => {
    const { world, beyond } = await start(
      (name) => (name.includes('example') ? undefined : { flags: NXDOMAIN }),
      (name) => address(name, 0),
    );
    const asked = dig(world.dns.port, 'a.example.org');
    await eventually(
      'the first is asked',
      async () => beyond[0]?.asked,
      (all) => all?.length === 1,
    );
    await world.cluster.clock.advance(2_000);
    assert.deepEqual(dataOf((await asked).answer), ['192.0.2.1']);
    assert.deepEqual(dataOf((await dig(world.dns.port, 'b.example.org')).answer), ['192.0.2.1']);
    assert.equal(beyond[0]?.asked.length, 1);
  });

  it('failures are handed on when nobody knows better, and not kept', async () => {
    const { world, beyond } = await start(() => ({ flags: 5 }));
    for (let time = 1; time <= 2; time++) {
      assert.equal((await dig(world.dns.port, 'a.example.org')).status, 'REFUSED');
      assert.equal(beyond[0]?.asked.length, time);
    }
  });

  it('what is cut is asked for over TCP, and given as the asker takes it', async () => {
    const many = (name: string, count: number): dnsPacket.Packet => ({
      answers: Array.from({ length: count }, (_, index) => ({
        type: 'A',
        name,
        ttl: 60,
        data: `192.0.2.${index + 1}`,
      })),
    });
    const { world, beyond } = await start((name, _, transport) =>
      transport === 'tcp' ? many(name, 100) : { ...many(name, 1), flags: 0x0200 },
    );
    const whole = await dig(world.dns.port, 'big.example.org');
    assert.deepEqual([whole.answer.length, whole.transport], [100, 'TCP']);
    const cut = await dig(world.dns.port, 'big.example.org', '+ignore', '+noedns');
    assert.deepEqual([cut.flags.includes('tc'), cut.size <= 512, cut.answer.length > 10], [true, true, true]);
    assert.deepEqual(beyond[0]?.asked, ['udp big.example.org', 'tcp big.example.org']);
  });

  it('equal questions at one time are asked once', async () => {
    const beyond = await startBeyond((name) => address(name, 0));
    closers.push(() => beyond.close());
    const resolvers = [{ address: '127.0.0.1', port: beyond.port }];
    const forwarder = createForwarder(resolvers, async () => resolvers, {
      clock: new VirtualClock(),
      random: seededRandom(1),
      log: silentLog,
    });
    closers.push(() => forwarder.close());
    const flags = { dnssecOk: false, checkingDisabled: false };
    const ask = (name: string) => forwarder.forward({ question: questionSection(name, 1), ...flags });
    const said = await Promise.all(['a', 'a', 'b', 'a'].map((label) => ask(`${label}.example.org`)));
    assert.ok(said.every((each) => each?.message.rcode === 0));
    const names = beyond.asked.filter((each) => each.includes('example'));
    assert.deepEqual(names.sort(), ['udp a.example.org', 'udp b.example.org']);
    await ask('a.example.org');
    assert.equal(beyond.asked.filter((each) => each.includes('a.example')).length, 2);
  });

  it('a machine that has other resolvers by now has these asked', async () => {
    const [first, second] = [
      await startBeyond((name) => address(name, 0)),
      await startBeyond((name) => address(name, 0)),
    ];
    closers.push(
      () => first.close(),
      () => second.close(),
    );
    const clock = new VirtualClock();
    let port = first.port;
    const forwarder = createForwarder(
      [{ address: '127.0.0.1', port }],
      async () => [{ address: '127.0.0.1', port }],
      {
        clock,
        random: seededRandom(1),
        log: silentLog,
      },
    );
    closers.push(() => forwarder.close());
    const flags = { dnssecOk: false, checkingDisabled: false };
    const ask = () => forwarder.forward({ question: questionSection('a.example.org', 1), ...flags });
    const asked = (beyond: Beyond): number =>
      beyond.asked.filter((each) => each.includes('a.example')).length;
    await ask();
    port = second.port;
    await ask();
    assert.deepEqual([asked(first), asked(second)], [2, 0]);
    await clock.advance(10_000);
    // Whoever asks does not wait for the look.
    await ask();
    await eventually(
      'the second is asked',
      async () => {
        await ask();
        return asked(second);
      },
      (count) => count > 0,
    );
  });

  it('ids and source ports cannot be guessed', async () => {
    const { world, beyond } = await start((name) => address(name, 0));
    for (let index = 0; index < 20; index++) await dig(world.dns.port, `${index}.example.org`);
    const origins = beyond[0]?.origins ?? [];
    assert.equal(origins.length, 20);
    assert.ok(new Set(origins.map(({ id }) => id)).size >= 19);
    assert.ok(new Set(origins.map(({ port }) => port)).size >= 15);
  });

  it('answers to something else are passed over', async () => {
    const forger = createSocket('udp4');
    forger.on('message', (message, { address: from, port }) => {
      const send = (change: (reply: Buffer) => void): void => {
        const reply = Buffer.from(message);
        reply.writeUInt16BE(0x8180, 2);
        change(reply);
        forger.send(reply, port, from);
      };
      send((reply) => reply.writeUInt16BE((reply.readUInt16BE(0) + 1) % 0x1_0000, 0));
      send((reply) => reply.writeUInt8(0x7a, 13));
      send((reply) => reply.writeUInt16BE(0x0100, 2));
      send((reply) => reply.writeUInt16BE(9, 6));
      // This one answers: no such name.
      send((reply) => reply.writeUInt16BE(0x8183, 2));
    });
    await new Promise<void>((bound) => forger.bind(0, '127.0.0.1', bound));
    closers.push(() => forger.close());
    const world = await startWorld(forger.address().port);
    closers.push(() => world.stop());
    assert.equal((await dig(world.dns.port, 'a.example.org')).status, 'NXDOMAIN');
  });

  it('a resolver that knows no EDNS is asked without', async () => {
    const { world, beyond } = await start((name, { additionals }) =>
      (additionals ?? []).length > 0 ? { flags: 1, additionals: [] } : address(name, 60),
    );
    assert.deepEqual(dataOf((await dig(world.dns.port, 'a.example.org')).answer), ['192.0.2.1']);
    assert.equal(beyond[0]?.asked.length, 2);
  });

  it('a resolver that asks us in turn is found out, said so once, and not asked any more', async () => {
    const relay = createSocket('udp4');
    let world: World | undefined;
    const waiting: Buffer[] = [];
    const back = createSocket('udp4');
    const origins = new Map<number, { port: number; address: string }>();
    relay.on('message', (message, from) => {
      origins.set(message.readUInt16BE(0), from);
      if (world) back.send(message, world.dns.port, '127.0.0.1');
      else waiting.push(message);
    });
    back.on('message', (message) => {
      const to = origins.get(message.readUInt16BE(0));
      if (to) relay.send(message, to.port, to.address);
    });
    await new Promise<void>((bound) => relay.bind(0, '127.0.0.1', bound));
    closers.push(() => {
      relay.close();
      back.close();
    });
    world = await startWorld(relay.address().port);
    for (const message of waiting) back.send(message, world.dns.port, '127.0.0.1');
    closers.push(() => world?.stop());
    const { complaints, dns } = world;
    // No time passes here: who is answered is answered at once.
    assert.equal((await dig(dns.port, 'a.example.org')).status, 'SERVFAIL');
    assert.equal((await dig(dns.port, 'b.example.org')).status, 'SERVFAIL');
    assert.equal(complaints.filter((each) => each.includes('back to the cluster')).length, 1);
  });

  it('names of the cluster are never asked for, and never kept', async () => {
    const { world, beyond } = await start(() => ({ flags: NXDOMAIN, ...authority }));
    const name = 'late.default.svc.cluster.local';
    assert.equal((await dig(world.dns.port, name)).status, 'NXDOMAIN');
    assert.equal((await dig(world.dns.port, '9.0.96.10.in-addr.arpa', 'PTR')).status, 'NXDOMAIN');
    await world.service('late', { clusterIP: '10.96.0.9', ports: [{ port: 80 }] });
    assert.deepEqual(dataOf((await dig(world.dns.port, name)).answer), ['10.96.0.9']);
    // The reverse name was asked for as long as it was nobody's here; that it was is forgotten.
    assert.deepEqual(dataOf((await dig(world.dns.port, '-x', '10.96.0.9')).answer), [`${name}.`]);
    assert.ok(beyond[0]?.asked.every((each) => !each.includes('cluster.local')));
  });
});
