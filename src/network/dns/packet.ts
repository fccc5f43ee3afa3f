// Turns questions into packets and resolutions into answers, within the size a client can take. dns-packet does
// the encoding; what the names mean is resolve.ts's business.
import * as dnsPacket from 'dns-packet';
import { type DnsRecord, resolve, type Zone } from './resolve.ts';

/** Seconds that a positive answer may be kept: short, since a pod's address changes when the pod does. */
const POSITIVE_TTL_SECONDS = 5;
/** What a client without EDNS takes over UDP (RFC 1035), and the most that ours is given (RFC 9715). */
const PLAIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 1232;

const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

export type Query = {
  id: number;
  question: dnsPacket.Question;
  raw: dnsPacket.Packet;
  udpPayloadBytes: number;
};

/** Reads a query; undefined for what is no query with one question. */
export function readQuery(message: Buffer): Query | undefined {
  let raw: dnsPacket.DecodedPacket;
  try {
    raw = dnsPacket.decode(message);
  } catch {
    return undefined;
  }
  const [question, ...others] = raw.questions ?? [];
  if (raw.type !== 'query' || !question || others.length > 0) return undefined;
  const edns = raw.additionals?.find((record) => record.type === 'OPT');
  const offered = edns?.type === 'OPT' ? edns.udpPayloadSize : PLAIN_UDP_BYTES;
  const udpPayloadBytes = Math.min(Math.max(offered, PLAIN_UDP_BYTES), MAX_UDP_BYTES);
  return { id: raw.id ?? 0, question, raw, udpPayloadBytes };
}

/**
 * The answer from the cluster's names, or undefined when the question is for the resolvers beyond.
 * @param transport over UDP an answer that is too long is cut and flagged, so that the client asks over TCP.
 */
export function answerFromZone(query: Query, zone: Zone, transport: 'udp' | 'tcp'): Buffer | undefined {
  const resolution = resolve(query.question.name, query.question.type, zone);
  if (!resolution) return undefined;
  const soa: dnsPacket.Answer = {
    name: zone.domain,
    type: 'SOA',
    ttl: resolution.negativeTtlSeconds,
    data: {
      mname: `ns.dns.${zone.domain}`,
      rname: `hostmaster.${zone.domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86400,
      minimum: resolution.negativeTtlSeconds,
    },
  };
  return encode(query, transport, {
    rcode: resolution.exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
    authoritative: true,
    answers: resolution.answers.map(withTtl),
    authorities: resolution.answers.length === 0 ? [soa] : [],
    additionals: resolution.additionals.map(withTtl),
  });
}

/** "I cannot say": no resolver beyond answered. */
export function serverFailure(query: Query): Buffer {
  return encode(query, 'tcp', {
    rcode: RCODE.SERVFAIL,
    authoritative: false,
    answers: [],
    authorities: [],
    additionals: [],
  });
}

interface Sections {
  rcode: number;
  authoritative: boolean;
  answers: dnsPacket.Answer[];
  authorities: dnsPacket.Answer[];
  additionals: dnsPacket.Answer[];
}

function encode(query: Query, transport: 'udp' | 'tcp', sections: Sections): Buffer {
  const recursionDesired = (query.raw.flags ?? 0) & dnsPacket.RECURSION_DESIRED;
  const flags =
    sections.rcode |
    recursionDesired |
    dnsPacket.RECURSION_AVAILABLE |
    (sections.authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0);
  const edns: dnsPacket.Answer[] = query.raw.additionals?.some((record) => record.type === 'OPT')
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: MAX_UDP_BYTES,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  const packet: dnsPacket.Packet = {
    type: 'response',
    id: query.id,
    flags,
    questions: [query.question],
    answers: sections.answers,
    authorities: sections.authorities,
    additionals: [...sections.additionals, ...edns],
  };
  const whole = dnsPacket.encode(packet);
  if (transport === 'tcp' || whole.length <= query.udpPayloadBytes) return whole;
  return dnsPacket.encode({
    ...packet,
    flags: flags | dnsPacket.TRUNCATED_RESPONSE,
    answers: [],
    authorities: [],
    additionals: edns,
  });
}

function withTtl(record: DnsRecord): dnsPacket.Answer {
  return { ...record, ttl: POSITIVE_TTL_SECONDS, class: 'IN' };
}
