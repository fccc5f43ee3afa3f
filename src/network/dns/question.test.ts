// What arrives on the wire, honest or not: nothing throws, nothing hangs, no answer is answered, and no answer is longer
// than it may be.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as dnsPacket from 'dns-packet';
import { seededRandom } from '../../testing/seeded-random.ts';
import { encodeAnswer, encodeFailure, encodeRefusal, withTtl } from './answer.ts';
import { MAX_QUESTION_BYTES, RCODE, readQuestion } from './question.ts';

const opt = (udpPayloadSize: number, ednsVersion = 0) => ({
  type: 'OPT' as const,
  name: '.',
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});
const packet = (change: dnsPacket.Packet = {}): Buffer =>
  dnsPacket.encode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'Web.Default.svc' }], ...change });
const rcodeOf = (message: Buffer): number | undefined => {
  const read = readQuestion(message);
  return read && ('rcode' in read ? read.rcode : RCODE.NOERROR);
};

describe('reading a question', () => {
  it('takes the name in any letters, and sends them back as they came', () => {
    const query = readQuestion(packet());
    assert.ok(query && !('rcode' in query));
    assert.deepEqual(
      [query.labels, query.type, query.udpPayloadBytes],
      [['web', 'default', 'svc'], 'A', 512],
    );
    assert.equal(dnsPacket.decode(encodeFailure(query, 2)).questions?.[0]?.name, 'Web.Default.svc');
  });

  it('takes what EDNS offers, within reason', () => {
    const offers = (size: number): unknown => {
      const query = readQuestion(packet({ additionals: [opt(size)] }));
      return query && !('rcode' in query) && [query.edns, query.udpPayloadBytes];
    };
    assert.deepEqual(
      [offers(100), offers(900), offers(65_535)],
      [
        [true, 512],
        [true, 900],
        [true, 1232],
      ],
    );
    assert.equal(rcodeOf(packet({ additionals: [opt(900, 1)] })), RCODE.BADVERS);
    assert.equal(rcodeOf(packet({ additionals: [opt(900), opt(900)] })), RCODE.FORMERR);
  });

  it('answers no answer, and nothing that is too short for an id', () => {
    assert.equal(readQuestion(packet({ type: 'response' })), undefined);
    assert.equal(readQuestion(Buffer.alloc(11)), undefined);
  });

  it('refuses what it does not do', () => {
    const question = { type: 'A' as const, name: 'a' };
    assert.equal(rcodeOf(packet({ questions: [] })), RCODE.FORMERR);
    assert.equal(rcodeOf(packet({ questions: [question, question] })), RCODE.FORMERR);
    assert.equal(rcodeOf(packet({ questions: [{ ...question, type: 'AXFR' }] })), RCODE.REFUSED);
    assert.equal(rcodeOf(packet({ questions: [{ ...question, class: 'CH' }] })), RCODE.REFUSED);
    assert.equal(rcodeOf(packet({ flags: 5 << 11 })), RCODE.NOTIMP);
    assert.equal(rcodeOf(Buffer.concat([packet(), Buffer.alloc(MAX_QUESTION_BYTES)])), RCODE.FORMERR);
  });

  it('follows no pointer: a name that leads to itself is no name', () => {
    const loop = packet();
    loop.writeUInt16BE(0xc00c, 12);
    assert.equal(rcodeOf(loop), RCODE.FORMERR);
  });

  it('reads whatever comes, and answers it within bounds', () => {
    const random = seededRandom(7);
    const below = (bound: number): number => Math.floor(random.next() * bound);
    const honest = [
      packet(),
      packet({ additionals: [opt(4096)] }),
      packet({ questions: [{ type: 'SRV', name: '_a._tcp.b' }] }),
    ];
    const records = Array.from({ length: 100 }, (_, index) =>
      withTtl({ name: 'web.default.svc', type: 'A', data: `10.0.0.${index}` }),
    );
    const sections = { rcode: 0, authoritative: true, answers: records, authorities: [], additionals: [] };
    for (let round = 0; round < 30_000; round++) {
      let message = Buffer.from(honest[below(honest.length)] ?? Buffer.alloc(0));
      for (let change = below(4); change >= 0; change--) {
        const kind = below(3);
        if (kind === 0) message[below(message.length)] = below(256);
        else if (kind === 1) message = message.subarray(0, below(message.length + 1));
        else message = Buffer.concat([message, message.subarray(below(message.length + 1))]);
        if (message.length === 0) message = Buffer.of(below(256));
      }
      const query = readQuestion(message);
      if (!query) {
        assert.ok(message.length < 12 || (message.readUInt16BE(2) & 0x8000) !== 0);
        continue;
      }
      const refused = 'rcode' in query;
      const reply = refused ? encodeRefusal(query) : encodeAnswer(query, sections, 'udp');
      assert.ok(reply.length <= (refused ? Math.max(12, message.length) : query.udpPayloadBytes));
      const { id, type } = dnsPacket.decode(reply);
      assert.deepEqual([id, type], [message.readUInt16BE(0), 'response']);
    }
  });
});
