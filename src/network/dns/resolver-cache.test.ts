import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as dnsPacket from 'dns-packet';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { questionSection } from './question.ts';
import { ResolverCache } from './resolver-cache.ts';
import { type ResolverMessage, readResolverMessage } from './resolver-message.ts';

function message(packet: dnsPacket.Packet): ResolverMessage {
  const name = 'a.example.org';
  const bytes = dnsPacket.encode({ type: 'response', id: 1, questions: [{ name, type: 'A' }], ...packet });
  const read = readResolverMessage(bytes, questionSection(name, 1));
  assert.ok(read);
  return read;
}
const address = (ttl: number): dnsPacket.Answer => ({
  name: 'a.example.org',
  type: 'A',
  ttl,
  data: '192.0.2.1',
});
const authority = (ttl: number, minimum: number): dnsPacket.Answer => ({
  name: 'example.org',
  type: 'SOA',
  ttl,
  data: { mname: 'ns', rname: 'h', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});

describe('what resolvers have said', () => {
  it('holds for as long as they said, and no longer', async () => {
    const clock = new VirtualClock();
    const cache = new ResolverCache(clock);
    cache.put('a', message({ answers: [address(60), address(7)] }));
    await clock.advance(6_999);
    assert.equal(cache.get('a')?.ageSeconds, 6);
    await clock.advance(1);
    assert.equal(cache.get('a'), undefined);
    assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
  });

  it('that there is nothing holds for what the start of authority says, and without one not at all', () => {
    const cache = new ResolverCache(new VirtualClock());
    const missing = { flags: 3 };
    assert.equal(message({ ...missing, authorities: [authority(60, 5)] }).ttlSeconds, 5);
    assert.equal(message({ authorities: [authority(4, 60)] }).ttlSeconds, 4);
    cache.put('a', message(missing));
    cache.put('b', message({ authorities: [] }));
    cache.put('c', message({ flags: 2, answers: [address(60)] }));
    cache.put('d', message({ answers: [address(0)] }));
    cache.put('e', message({ flags: dnsPacket.TRUNCATED_RESPONSE, answers: [address(60)] }));
    assert.equal(cache.size.entries, 0);
  });

  it('is bounded in entries and in bytes: the longest unused goes first', () => {
    const few = new ResolverCache(new VirtualClock(), { entries: 3, bytes: 1e6 });
    for (const key of ['a', 'b', 'c']) few.put(key, message({ answers: [address(60)] }));
    few.get('a');
    few.put('d', message({ answers: [address(60)] }));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => few.get(key) !== undefined),
      [true, false, true, true],
    );
    const small = new ResolverCache(new VirtualClock(), { entries: 1e6, bytes: 10_000 });
    for (let index = 0; index < 1_000; index++) small.put(`${index}`, message({ answers: [address(60)] }));
    assert.ok(small.size.entries > 5 && small.size.bytes <= 10_000, JSON.stringify(small.size));
  });
});
