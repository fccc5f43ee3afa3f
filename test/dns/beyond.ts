// A resolver beyond the cluster for tests: answers on loopback, over UDP and TCP, what it is told to, and keeps what it
// was asked.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import * as dnsPacket from 'dns-packet';

export interface Beyond {
  port: number;
  /** Names that it was asked for, with the transport: `udp www.example.org`. */
  asked: string[];
  /** The id of each question, and the port that it came from. */
  origins: { id: number; port: number }[];
  close(): void;
}

/** What is to be answered; undefined: nothing. Whole bytes are sent as they are. */
export type Answers = (
  name: string,
  packet: dnsPacket.DecodedPacket,
  transport: 'udp' | 'tcp',
) => dnsPacket.Packet | Buffer | undefined;

export async function startBeyond(answers: Answers, port = 0): Promise<Beyond> {
  const asked: string[] = [];
  const origins: { id: number; port: number }[] = [];
  const reply = (message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const packet = dnsPacket.decode(message);
    const name = packet.questions?.[0]?.name ?? '';
    asked.push(`${transport} ${name}`);
    const answer = answers(name, packet, transport);
    if (!answer || Buffer.isBuffer(answer)) return answer;
    return dnsPacket.encode({ type: 'response', id: packet.id, questions: packet.questions, ...answer });
  };
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    origins.push({ id: message.readUInt16BE(0), port: from.port });
    const answer = reply(message, 'udp');
    if (answer) udp.send(answer, from.port, from.address);
  });
  await new Promise<void>((bound) => udp.bind(port, '127.0.0.1', bound));
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk) => {
      const answer = reply(chunk.subarray(2), 'tcp');
      if (!answer) return socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.end(Buffer.concat([length, answer]));
    });
  });
  const bound = udp.address().port;
  await new Promise<void>((listening) => tcp.listen(bound, '127.0.0.1', listening));
  return {
    port: bound,
    asked,
    origins,
    close() {
      udp.close();
      tcp.close();
    },
  };
}
