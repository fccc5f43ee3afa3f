// Packets that no honest program sends, to the whole of the DNS server but its sockets: questions that were changed
// somewhere, cut, put together or made up, with compression that leads in circles; and answers of resolvers beyond that
// were. From a seed, so that what goes wrong goes wrong again.
import * as dnsPacket from 'dns-packet';
import { silentLog } from '../../src/base/log.ts';
import type { Transport } from '../../src/network/dns/answer.ts';
import { createAnswerer } from '../../src/network/dns/answerer.ts';
import { createForwarder } from '../../src/network/dns/forward.ts';
import { inLowerCase, type Query, readQuestion } from '../../src/network/dns/question.ts';
import { answerFrom, readResolverMessage } from '../../src/network/dns/resolver-message.ts';
import { zoneOf } from '../../src/network/dns/zone.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { DOMAIN, furnish, startWorld } from './world.ts';

export interface FuzzReport {
  packets: number;
  /** How many were answered with which code. */
  rcodes: Record<string, number>;
  unanswered: number;
  /** What must not be, and the packet in hexadecimal digits. */
  problems: string[];
  /** The longest that one took, in milliseconds: told, and never judged. */
  slowestMs: number;
}

const MOST_PROBLEMS = 20;
const PLAIN_UDP_BYTES = 512;
const MOST_UDP_BYTES = 1232;

export async function fuzzDns(packets: number, seed: number): Promise<FuzzReport> {
  const world = await startWorld();
  await furnish(world);
  const { context } = world.cluster;
  const random = seededRandom(seed);
  const below = (bound: number): number => Math.floor(random.next() * bound);
  const zone = zoneOf(context.informers, 'cluster.local', '10.244.0.1');
  await zone.synced;
  const problems: string[] = [];
  const log = {
    ...silentLog,
    error: (message: string, error: unknown) => void problems.push(`${message}: ${String(error)}`),
  };
  const forwarder = createForwarder([], async () => [], { clock: context.clock, random, log });
  const answerer = createAnswerer(zone, forwarder, { random, log });
  const questions = honestQuestions();
  const answers = honestAnswers();
  const report: FuzzReport = { packets: 0, rcodes: {}, unanswered: 0, problems, slowestMs: 0 };
  const complain = (what: string, packet: Buffer): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(`${what}: ${packet.toString('hex')}`);
  };
  const told = async (packet: Buffer, ask: () => unknown): Promise<void> => {
    report.packets++;
    const beganMs = performance.now();
    const before = problems.length;
    try {
      await ask();
    } catch (error) {
      complain(`thrown: ${String(error)}`, packet);
    }
    if (problems.length > before && problems.length < MOST_PROBLEMS) complain('packet', packet);
    report.slowestMs = Math.max(report.slowestMs, performance.now() - beganMs);
  };

  const mutated = (packet: Buffer): Buffer => {
    let message = Buffer.from(packet);
    for (let changes = below(5); changes > 0; changes--) {
      const at = below(message.length + 1);
      switch (below(6)) {
        case 0:
          if (at < message.length) message[at] = below(256);
          break;
        case 1:
          message = message.subarray(0, at);
          break;
        case 2:
          message = Buffer.concat([message, message.subarray(at)]);
          break;
        case 3:
          // A pointer somewhere, to somewhere: back, forth, or to itself.
          if (at + 2 <= message.length) message.writeUInt16BE(0xc000 | below(message.length + 8), at);
          break;
        case 4:
          if (at < message.length) message[at] = (message[at] ?? 0) ^ (1 << below(8));
          break;
        default:
          message = Buffer.concat([message.subarray(0, at), randomBytes(below(40)), message.subarray(at)]);
      }
    }
    return message;
  };
  const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

  for (let index = 0; index < packets && problems.length < MOST_PROBLEMS; index++) {
    const transport: Transport = below(4) === 0 ? 'tcp' : 'udp';
    if (below(8) === 0) {
      const { message, query } = pick(answers);
      const packet = mutated(message);
      await told(packet, () => {
        const read = readResolverMessage(packet, inLowerCase(query.question));
        if (!read) return;
        const answer = answerFrom(read, query, below(100), transport);
        checkSize(answer, transport === 'udp' ? query.udpPayloadBytes : 0xffff, packet, complain);
      });
      continue;
    }
    const packet = below(10) === 0 ? randomBytes(below(600)) : mutated(pick(questions));
    await told(packet, async () => {
      const answer = await answerer(packet, transport);
      if (!answer) {
        report.unanswered++;
        if (packet.length >= 12 && (packet.readUInt16BE(2) & 0x8000) === 0) complain('no answer', packet);
        return;
      }
      checkSize(answer, allowed(packet, transport), packet, complain);
      checkAnswer(packet, answer, complain);
      const rcode = `${answer.readUInt16BE(2) & 0xf}`;
      report.rcodes[rcode] = (report.rcodes[rcode] ?? 0) + 1;
    });
  }
  zone.close();
  forwarder.close();
  await world.stop();
  return report;
}

type Complain = (what: string, packet: Buffer) => void;

/** As many bytes as the asker takes: what is no question gets no more than it has sent. */
function allowed(packet: Buffer, transport: Transport): number {
  const query = readQuestion(packet);
  if (!query || 'rcode' in query) return Math.max(12, packet.length);
  if (transport === 'tcp') return 0xffff;
  return Math.min(Math.max(query.udpPayloadBytes, PLAIN_UDP_BYTES), MOST_UDP_BYTES);
}

function checkSize(answer: Buffer, most: number, packet: Buffer, complain: Complain): void {
  if (answer.length > most) complain(`${answer.length} bytes, ${most} at most`, packet);
}

function checkAnswer(packet: Buffer, answer: Buffer, complain: Complain): void {
  if (answer.readUInt16BE(0) !== packet.readUInt16BE(0)) complain('another id', packet);
  if ((answer.readUInt16BE(2) & 0x8000) === 0) complain('no answer, but a question', packet);
  try {
    // A reading that is not ours.
    dnsPacket.decode(answer);
  } catch (error) {
    complain(`cannot be read: ${String(error)}`, packet);
  }
}

function honestQuestions(): Buffer[] {
  const opt = (size: number): dnsPacket.Answer => ({
    ...{ type: 'OPT', name: '.', udpPayloadSize: size, extendedRcode: 0, ednsVersion: 0, flags: 0 },
    flag_do: false,
    options: [],
  });
  const names = [
    ...['plain', 'set', 'set-0.set', 'peers', 'legacy', 'many', 'empty', 'near', 'nearer', 'circle', 'far'],
    ...['_http._tcp.set', '_http._tcp.plain', '_tcp.plain', 'nobody', 'fd00--2.peers'],
  ].map((name) => `${name}.${DOMAIN}`);
  const others = [
    ...['cluster.local', 'dns-version.cluster.local', '1-2-3-4.default.pod.cluster.local', 'www.example.org'],
    ...['7.0.96.10.in-addr.arpa', '11.0.244.10.in-addr.arpa', `${'1.'.repeat(32)}ip6.arpa`],
  ];
  const types = ['A', 'AAAA', 'SRV', 'PTR', 'TXT', 'CNAME', 'SOA', 'NS', 'AXFR'] as const;
  return [...names, ...others].flatMap((name) =>
    types.flatMap((type) =>
      [undefined, 100, 900, 4096].map((size) =>
        dnsPacket.encode({
          type: 'query',
          id: 4711,
          flags: dnsPacket.RECURSION_DESIRED,
          questions: [{ type, name }],
          additionals: size === undefined ? [] : [opt(size)],
        }),
      ),
    ),
  );
}

function honestAnswers(): { message: Buffer; query: Query }[] {
  const name = 'www.example.org';
  const address = (index: number): dnsPacket.Answer => ({
    name,
    type: 'A',
    ttl: 60,
    data: `192.0.2.${index}`,
  });
  return [1, 40].flatMap((count) =>
    [false, true].map((edns) => {
      const extra: dnsPacket.Answer[] = edns
        ? [
            {
              ...{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0 },
              flag_do: false,
              options: [],
            },
          ]
        : [];
      const asked = { id: 1, questions: [{ type: 'A' as const, name }], additionals: extra };
      const query = readQuestion(dnsPacket.encode({ type: 'query', ...asked }));
      if (!query || 'rcode' in query) throw new Error('an honest question is none');
      const answers = Array.from({ length: count }, (_, index) => address(index));
      return { message: dnsPacket.encode({ type: 'response', ...asked, answers }), query };
    }),
  );
}
