// Reads what arrives as a question: a header, one question, and what EDNS says about the asker. By hand and strictly:
// these bytes come from anybody. Every loop runs over the message's own bytes once; nothing here follows a pointer.

/** No honest question is longer: one name of at most 255 bytes, and EDNS options. */
export const MAX_QUESTION_BYTES = 1232;
/** What a client without EDNS takes over UDP (RFC 1035), and the most that ours is given (RFC 9715). */
const PLAIN_UDP_BYTES = 512;
export const MAX_UDP_BYTES = 1232;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Extended: its upper bits go into the OPT record. */
  BADVERS: 16,
} as const;

export const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** Of a record behind its name: type, class, TTL, length of the data. */
export const RECORD_BYTES = 10;
/** An OPT record without options: a root name, and the ten bytes of a record. */
export const OPT_BYTES = 1 + RECORD_BYTES;
const IS_ANSWER = 0x8000;
const OPCODE = 0x7800;
const RECURSION_DESIRED = 0x0100;
const CHECKING_DISABLED = 0x0010;
/** In the OPT record's flags. */
const DNSSEC_OK = 0x8000;
const CLASS_IN = 1;
const CLASS_ANY = 255;
export const OPT = 41;

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
]);

/** How a resolver is to answer, beyond what it is asked. */
export interface QuestionFlags {
  /** With signatures (DO). */
  dnssecOk: boolean;
  /** Without looking at them (CD). */
  checkingDisabled: boolean;
}

export interface Query extends QuestionFlags {
  id: number;
  recursionDesired: boolean;
  /** The question's bytes, to be sent back as they are. */
  question: Buffer;
  /** The labels of its name, in lower case. A dot within a label is written `\.`, as nobody's name has it. */
  labels: readonly string[];
  /** `A`; `TYPE64` for what has no name here. */
  type: string;
  typeCode: number;
  /** Whether the asker speaks EDNS, and so gets an OPT record back. */
  edns: boolean;
  /** The longest answer that the asker takes over UDP, in bytes. */
  udpPayloadBytes: number;
}

/** What is no question that can be answered, and with which code to say so. */
export interface Refusal {
  id: number;
  opcode: number;
  rcode: number;
  edns: boolean;
  recursionDesired: boolean;
  /** The question's bytes, to be sent back as they are; empty where they could not be read. */
  question: Buffer;
}

const NO_QUESTION: Buffer = Buffer.alloc(0);

/**
 * Reads a question.
 * @returns undefined for what gets no answer at all: what is too short to have an id, and answers, so that two servers
 * never talk to each other for ever.
 */
export function readQuestion(message: Buffer): Query | Refusal | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if (flags & IS_ANSWER) return undefined;
  const opcode = (flags & OPCODE) >> 11;
  const recursionDesired = (flags & RECURSION_DESIRED) !== 0;
  const refuse = (rcode: number, edns = false, question = NO_QUESTION): Refusal => {
    return { id, opcode, rcode, edns, recursionDesired, question };
  };
  if (opcode !== 0) return refuse(RCODE.NOTIMP);
  if (message.length > MAX_QUESTION_BYTES || message.readUInt16BE(4) !== 1) return refuse(RCODE.FORMERR);
  const name = readName(message);
  if (!name || name.end + 4 > message.length) return refuse(RCODE.FORMERR);
  const type = message.readUInt16BE(name.end);
  const end = name.end + 4;
  const question = message.subarray(HEADER_BYTES, end);
  const edns = readEdns(message, end);
  if (!edns) return refuse(RCODE.FORMERR, false, question);
  if (edns.version > 0) return refuse(RCODE.BADVERS, true, question);
  const questionClass = message.readUInt16BE(name.end + 2);
  const isTransfer = type === 251 || type === 252;
  if (isTransfer || (questionClass !== CLASS_IN && questionClass !== CLASS_ANY))
    return refuse(RCODE.REFUSED, edns.present, question);
  return {
    id,
    recursionDesired,
    question,
    labels: name.labels,
    type: TYPES.get(type) ?? `TYPE${type}`,
    typeCode: type,
    edns: edns.present,
    udpPayloadBytes: edns.udpPayloadBytes,
    dnssecOk: edns.dnssecOk,
    checkingDisabled: (flags & CHECKING_DISABLED) !== 0,
  };
}

/** The question's name. There is nothing before it that it could be compressed with. */
function readName(message: Buffer): { labels: string[]; end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > MAX_LABEL_BYTES) return undefined;
    at += 1 + length;
    if (at > message.length || at - HEADER_BYTES > MAX_NAME_BYTES) return undefined;
    if (length === 0) return { labels, end: at };
    const label = message.toString('latin1', at - length, at);
    labels.push(label.toLowerCase().replaceAll('.', '\\.'));
  }
}

interface Edns {
  present: boolean;
  version: number;
  udpPayloadBytes: number;
  dnssecOk: boolean;
}

/** Looks for the OPT record behind the question; undefined if what is there is not made of records. */
function readEdns(message: Buffer, start: number): Edns | undefined {
  let left = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  const found: Edns = {
    present: false,
    version: 0,
    udpPayloadBytes: PLAIN_UDP_BYTES,
    dnssecOk: false,
  };
  for (let at = start; left > 0; left--) {
    const isRoot = message[at] === 0;
    const end = endOfName(message, at);
    if (end === undefined || end + RECORD_BYTES > message.length) return undefined;
    if (message.readUInt16BE(end) === OPT) {
      if (found.present || !isRoot) return undefined;
      found.present = true;
      const offered = message.readUInt16BE(end + 2);
      found.udpPayloadBytes = Math.min(Math.max(offered, PLAIN_UDP_BYTES), MAX_UDP_BYTES);
      found.version = message.readUInt8(end + 5);
      found.dnssecOk = (message.readUInt16BE(end + 6) & DNSSEC_OK) !== 0;
    }
    at = end + RECORD_BYTES + message.readUInt16BE(end + 8);
    if (at > message.length) return undefined;
  }
  return found;
}

/** Where a name ends that nobody reads: behind its last label, or behind a pointer. */
export function endOfName(message: Buffer, start: number): number | undefined {
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length >= 0xc0) return at + 2;
    if (length > MAX_LABEL_BYTES) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
}

/**
 * The question section of a question of our own, in lower case.
 * @param name of labels that are not too long, as the API admits them.
 */
export function questionSection(name: string, typeCode: number): Buffer {
  const labels = name
    .toLowerCase()
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  const end = Buffer.alloc(5);
  end.writeUInt16BE(typeCode, 1);
  end.writeUInt16BE(CLASS_IN, 3);
  return Buffer.concat([...labels, end]);
}

/** The section as everybody writes it: its letters are small, whatever they were. */
export function inLowerCase(question: Buffer): Buffer {
  const small = Buffer.from(question);
  // The lengths of labels are less than any letter; type and class stay as they are.
  for (let at = 0; at < small.length - 4; at++) {
    const byte = small[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) small[at] = byte | 0x20;
  }
  return small;
}

/** A question of our own, with recursion desired. @param edns whether the answer may be longer than 512 bytes. */
export function encodeQuestion(
  id: number,
  { question, dnssecOk, checkingDisabled }: QuestionFlags & { question: Buffer },
  edns: boolean,
): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + question.length + (edns ? OPT_BYTES : 0));
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(RECURSION_DESIRED | (checkingDisabled ? CHECKING_DISABLED : 0), 2);
  message.writeUInt16BE(1, 4);
  question.copy(message, HEADER_BYTES);
  if (edns) {
    message.writeUInt16BE(1, 10);
    writeOpt(message, HEADER_BYTES + question.length, 0, dnssecOk);
  }
  return message;
}

/** Writes an OPT record without options: how much is taken over UDP, and the upper bits of an answer's code. */
export function writeOpt(message: Buffer, at: number, rcode: number, dnssecOk = false): void {
  message.writeUInt8(0, at);
  message.writeUInt16BE(OPT, at + 1);
  message.writeUInt16BE(MAX_UDP_BYTES, at + 3);
  message.writeUInt8(rcode >> 4, at + 5);
  message.writeUInt8(0, at + 6);
  message.writeUInt16BE(dnssecOk ? DNSSEC_OK : 0, at + 7);
  message.writeUInt16BE(0, at + 9);
}
